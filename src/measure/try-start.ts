import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Failure } from '../domain/trial/outcome.js';
import { missFailure } from '../domain/trial/miss-failure.js';
import { exactGates, firstMiss, margins, type Margin } from '../domain/task/gates.js';
import { packClock, trainClock } from '../domain/task/phase-clock.js';
import { seenBy, visibleFiles } from '../domain/task/phase-key.js';
import { measuredTimes, type PairedTime } from '../domain/trial/paired-times.js';
import { processesOf, type ColdProcess } from '../domain/trial/processes.js';
import type { StoredFile } from '../lineage/documents/snapshot.js';
import type { RunResult } from '../sandbox/run.js';
import { seal, sealTo, type Sealed } from '../sandbox/sealing/seal.js';
import type { HostedTask } from '../tasks/host.js';
import type { RunHost } from './host-context.js';
import { underLoad } from '../sandbox/host/load-watch.js';
import {
  numbered,
  placeOfStart,
  requireSteady,
  timeTraining,
  type StartTime,
} from './phases/baseline-timing.js';
import { cacheSeen, packCall, trainCall, type TrainSettings } from './phases/calls.js';
import { evaluateInBudget, runInBudget, type BudgetedEvaluation } from './phases/in-budget.js';
import { clearPacking } from './phases/pack-phase.js';
import { countedBytes } from './counted-bytes.js';
import { artifactLimits, cacheLimits, failureOf, requestOf, sealLimits, tailOf } from './phases/phase.js';
import { makeRunFolders, removeRunFolders } from './phases/run-folders.js';
import { lateFailure, type LeasedPhase } from './phases/run-phase.js';
import { artifactFailure, sealedOrRefused } from './phases/seal-outputs.js';
import { isVoid, pairWith, unpaired } from './phases/pairs.js';
import { ofProcess, prepareTraining } from './phases/train-process.js';
import { runPrewarm } from './phases/prewarm-phase.js';
import { copyCache } from './phases/private-cache.js';
import { trainingFolders, type SealedCache, type TrainingFolders } from './phases/training.js';
import { withUntold } from './phases/unready.js';
import { toldProcesses } from './told-processes.js';
import { scoreSealed, type Scoring } from './score-sealed.js';
import { evaluatedOf } from './score.js';

/** One process, with its time and that of the start beside it. */
type TimedProcess = ColdProcess & PairedTime;

/** One measurement of a recipe from end to end; times are seconds of wall time, null where a phase did not run. */
export interface StartRun {
  seed: number;
  /** Its processes, as far as they have trained. */
  processes: TimedProcess[];
  /** Words that the last of them said. */
  said: readonly string[];
  /** Digest of what was evaluated; null where it came to nothing. */
  artifact: string | null;
  prewarmS: number | null;
  trainS: number | null;
  packS: number | null;
  evaluateS: number | null;
  metrics: Record<string, number>;
  /** Those that the evaluator told of them. */
  standardErrors: Record<string, number>;
  margins: Margin[];
  feedback: string;
  /** Notes on parts of the evaluator's answer that were ignored or cut. */
  notes: string[];
  /** Why pairs of it said nothing and were measured again. */
  voided: string[];
  failure: Failure | null;
}

/** A measurement on its way. */
interface Run {
  context: RunHost;
  hosted: HostedTask;
  snapshot: string;
  files: readonly StoredFile[];
  folders: TrainingFolders;
  /** Name of its folders and processes. */
  name: string;
  /** Secret that seeds of processes, orders and lots are derived from. */
  secret: string;
  /** Cache of its prewarm; null where the task has none, and before it is made. */
  cache: SealedCache | null;
  signal: AbortSignal;
  so: StartRun;
}

/** A check measures the start beside itself. */
const CHECKED = { purpose: 'search', isStart: true } as const;
/** Processes of a measurement that a check runs. */
const CHECKED_PROCESSES = 2;

/** The task with as few processes as show what several do. */
function inShort(hosted: HostedTask): HostedTask {
  const { replicate } = hosted.spec;
  const processes = Math.min(CHECKED_PROCESSES, replicate.processes);
  return { ...hosted, spec: { ...hosted.spec, replicate: { ...replicate, processes } } };
}

/**
 * Trains, packs, seals and evaluates a recipe once as a campaign would, and stores nothing.
 * @throws AssayError EVALUATOR_FAULT when the evaluator itself failed, HOST_FAULT
 */
export async function tryStart(
  context: RunHost,
  full: HostedTask,
  { snapshot, seed, secret }: { snapshot: string; seed: number; secret: string },
  signal: AbortSignal,
): Promise<StartRun> {
  const hosted = inShort(full);
  const files = await context.lineage.blobs.tree(snapshot);
  const name = `try-${seed}`;
  const visible = visibleFiles(seenBy(hosted.spec, 'train'), files);
  const made = await makeRunFolders(context, name, visible);
  const none = { artifact: null, prewarmS: null, trainS: null, packS: null, evaluateS: null, failure: null };
  const so: StartRun = {
    seed,
    ...none,
    processes: [],
    said: [],
    metrics: {},
    standardErrors: {},
    margins: [],
    feedback: '',
    notes: [],
    voided: [],
  };
  const run: Run = {
    context,
    hosted,
    snapshot,
    files,
    folders: trainingFolders(made),
    name,
    secret,
    cache: null,
    signal,
    so,
  };
  try {
    so.failure = await phasesOf(run);
    return so;
  } finally {
    await removeRunFolders(made);
  }
}

/** Runs one phase after another; returns the first failure, or missed gate. */
async function phasesOf(run: Run): Promise<Failure | null> {
  const { context, hosted, files, folders, so } = run;
  const { spec } = hosted;
  const cold = await prewarmed(run);
  if (cold !== null) return cold;
  const left = await trained(run);
  if ('failure' in left) return left.failure;
  const late = firstMiss(margins(exactGates(spec.gates), so.metrics));
  if (late !== undefined) return missFailure(spec, late);
  if (spec.phases.pack === undefined) return evaluated(run, left.sealed, folders.left);
  const clock = packClock(spec, null);
  const how = { command: spec.phases.pack.run, timeoutS: clock.limitS };
  const cache = cacheSeen(hosted, 'pack', run.cache);
  const { result, failure } = await ran(run, {
    call: packCall({ hosted, seed: so.seed, cache }, folders, how),
    clock,
    prepare: async () => {
      await clearPacking(context, hosted, { files, folders });
      await copyCache(cache, folders.cache);
    },
  });
  so.packS = result.wallMs / 1000;
  if (failure !== null) return failure;
  const artifact = await sealedAfter(run, result, { from: folders.artifact, to: folders.packed });
  return 'failure' in artifact ? artifact.failure : evaluated(run, artifact.sealed, folders.packed);
}

/** Fills the cache of the recipe, where the task has one; returns the failure of that. */
async function prewarmed(run: Run): Promise<Failure | null> {
  const { context, hosted, files, folders, name, signal, so } = run;
  if (hosted.spec.phases.prewarm === undefined) return null;
  const to = join(folders.cache, '..', 'warm');
  const of = { name: `${name}-prewarm`, id: `${name}/prewarm`, files, to };
  const { results, ...made } = await runPrewarm(context, hosted, of, signal);
  so.prewarmS = results.reduce((sum, { wallMs }) => sum + wallMs / 1000, 0);
  if ('failure' in made) return made.failure;
  run.cache = made;
  return null;
}

/** Trains every process, and seals what they left. */
async function trained(run: Run): Promise<{ sealed: Sealed } | { failure: Failure }> {
  const { hosted, folders, so } = run;
  const { processes } = hosted.spec.replicate;
  const settings = settingsOf(run);
  if (processes > 1) await mkdir(folders.left);
  let left: { sealed: Sealed } | { failure: Failure } | null = null;
  for (const one of settings) {
    const { process } = one;
    const to = processes === 1 ? folders.left : join(folders.left, String(process));
    left = await trainedSteadily(run, one, to);
    if ('failure' in left)
      return processes === 1 ? left : { failure: ofProcess(left.failure, process, processes) };
  }
  const { metrics, errors } = measuredTimes(hosted.spec.replicate, so.processes);
  so.metrics = metrics;
  so.standardErrors = errors;
  so.margins = margins(hosted.spec.gates, metrics);
  if (left !== null && processes === 1) return left;
  const { sealed, refused } = await sealedOrRefused(seal(folders.left, artifactLimits(hosted)));
  return refused === null ? { sealed } : { failure: refused };
}

/** Gives the settings of each process, as few of them as show what several do. */
function settingsOf({ hosted, secret, cache, so: { seed } }: Run): TrainSettings[] {
  return processesOf(hosted.spec, { secret, seed }).map((process) => ({
    ...process,
    ...{ hosted, secret, trainSeconds: null, cache: cacheSeen(hosted, 'train', cache) },
  }));
}

/** Times that a pair is measured before a check gives up: a campaign's host has about as many tries. */
const PAIR_TRIES = 5;

/** Trains one process; again where its pair is void, as a campaign would. */
async function trainedSteadily(
  run: Run,
  settings: TrainSettings,
  to: string,
): Promise<{ sealed: Sealed } | { failure: Failure }> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await trainedOnce(run, settings, { to, again: tries > 1 });
    } catch (error) {
      if (!isVoid(error) || tries === PAIR_TRIES) throw error;
      run.so.voided.push(error.message);
    }
  }
}

/** Trains one process, times the start once more beside it where the task compares times, and seals what it left. */
async function trainedOnce(
  run: Run,
  settings: TrainSettings,
  { to, again: isAgain }: { to: string; again: boolean },
): Promise<{ sealed: Sealed } | { failure: Failure }> {
  const { context, hosted, snapshot, files, folders, name, signal, so } = run;
  const { spec } = hosted;
  const { process } = settings;
  const again = { snapshot, name: `${name}-start`, id: `${name}/control${numbered(settings)}`, settings };
  const beside = (): Promise<StartTime> => timeTraining(context, again, signal);
  const place = placeOfStart(spec, settings.secret, { snapshot, purpose: 'check', index: so.seed, process });
  const before = place === 'before' ? await beside() : null;
  const { result, others, failure } = await ran(run, {
    call: trainCall(settings, folders),
    clock: trainClock(spec, null),
    prepare: (repeated) => prepareTraining(context, settings, { files, folders }, isAgain || repeated),
    ...(spec.replicate.processes === 1 ? {} : { process }),
  });
  await requireSteady(spec, result, context.granted);
  const { wallMs, revealMs } = result;
  const timed: TimedProcess = { process, seed: settings.seed, wallMs, startMs: null, revealMs };
  so.said = result.said ?? [];
  if (failure !== null) {
    so.trainS = (so.trainS ?? 0) + wallMs / 1000;
    return { failure };
  }
  const left = await sealedAfter(run, result, { from: folders.out, to });
  if ('failure' in left) return { failure: withUntold(left.failure, spec, so.said) ?? left.failure };
  const start = place === 'after' ? await beside() : before;
  const load = { hostSpeed: result.hostSpeed, startMs: null, pair: null };
  if (start !== null) timed.startMs = pairWith({ ...load, pair: unpaired(context, others) }, start, CHECKED);
  so.trainS = (so.trainS ?? 0) + wallMs / 1000;
  so.processes.push(timed);
  if (spec.replicate.processes === 1) return left;
  const unfit = withUntold(await artifactFailure(spec, left.sealed, to), spec, so.said);
  return unfit === null ? left : { failure: unfit };
}

/** Runs a phase against its clock; once more where it was late on a slow host. */
async function ran(
  { context, hosted, name, signal }: Run,
  { call: of, clock, prepare, process }: Pick<LeasedPhase, 'call' | 'clock' | 'prepare' | 'process'>,
): Promise<{ result: RunResult; others: number; failure: Failure | null }> {
  const { tmp, ...call } = of;
  const { last, overruns } = await runInBudget(async (again) => {
    await prepare(again);
    const number = process === undefined ? '' : `-${process}`;
    const id = `${name}/${call.phase}${number}${again ? '-again' : ''}`;
    const measured = await underLoad(
      () => context.turn.others(),
      (onReady) =>
        context.sandbox.run({ ...requestOf(context, hosted, { ...call, id, signal }, tmp), onReady }),
    );
    if (measured.result.ending.kind === 'cancelled') signal.throwIfAborted();
    return { ...measured, usualSpeed: null };
  });
  const { result, others } = last;
  const failure = failureOf(call.phase, result, call.warmupS);
  const late = failure === null ? null : lateFailure(call.phase, clock, failure, overruns);
  return { result, others, failure: late };
}

async function sealedAfter(
  { hosted }: Run,
  { log }: RunResult,
  { from, to }: { from: string; to: string },
): Promise<{ sealed: Sealed } | { failure: Failure }> {
  const { sealed, refused } = await sealedOrRefused(sealTo(from, to, sealLimits(hosted)));
  // what is missing in the output is often told in the log
  return refused === null ? { sealed } : { failure: { ...refused, tail: tailOf(log) } };
}

async function evaluated(run: Run, sealed: Sealed, folder: string): Promise<Failure | null> {
  const { hosted, files, so } = run;
  const { spec } = hosted;
  const unfit = spec.replicate.processes > 1 ? null : await artifactFailure(spec, sealed, folder);
  const untold = withUntold(unfit, spec, so.said);
  if (untold !== null) return untold;
  const code = await countedBytes(run.context, hosted, files, run.signal);
  const known = { bytes: code + sealed.bytes, ...so.metrics };
  so.artifact = sealed.digest;
  so.metrics = known;
  so.margins = margins(spec.gates, known);
  const tooLarge = firstMiss(margins(exactGates(spec.gates), known));
  const parts = { code, artifact: sealed.bytes };
  if (tooLarge !== undefined) return missFailure(spec, tooLarge, parts);
  const { last } = await evaluateInBudget((again) => evaluatedOnce(run, { sealed, folder, known, again }));
  so.evaluateS = last.evaluateS;
  so.notes = last.notes;
  so.feedback = last.feedback;
  if (last.failure !== null) return last.failure;
  so.metrics = { ...known, ...last.metrics };
  so.standardErrors = { ...so.standardErrors, ...last.standardErrors };
  so.margins = last.margins;
  const miss = firstMiss(margins(exactGates(spec.gates), so.metrics));
  return miss === undefined ? null : missFailure(spec, miss);
}

interface Evaluating {
  sealed: Sealed;
  /** Folder of what is sealed. */
  folder: string;
  known: Record<string, number>;
  again: boolean;
}

type EvaluatedOnce = BudgetedEvaluation &
  Pick<StartRun, 'evaluateS' | 'notes' | 'metrics' | 'standardErrors' | 'margins' | 'feedback'>;

async function evaluatedOnce(
  { context, hosted, snapshot, name, secret, cache, signal, so }: Run,
  { sealed, folder, known, again }: Evaluating,
): Promise<EvaluatedOnce> {
  const scoring: Scoring = {
    name: `${name}-evaluate`,
    id: `${name}/evaluate${again ? '-again' : ''}`,
    snapshot,
    artifact: { digest: sealed.digest, put: (to) => sealTo(folder, to, artifactLimits(hosted)) },
    processes: toldProcesses(hosted.spec, secret, so.processes),
    cache: cache === null ? null : { ...cache, put: (to) => sealTo(cache.folder, to, cacheLimits(hosted)) },
    known,
    data: hosted.parts.search,
    env: {},
  };
  const { scored, damage } = await scoreSealed(context, hosted, scoring, signal);
  const { evaluatorRun, serverRun, twinRun, blamedRun, notes } = scored;
  const runs = [evaluatorRun, serverRun, twinRun]
    .filter((result) => result !== null)
    .map(({ hostSpeed }) => ({ hostSpeed, usualSpeed: null }));
  const of = { runs, evaluateS: evaluatorRun.wallMs / 1000, notes };
  if (damage !== null) {
    const reason = `changed ${damage}`;
    const failure: Failure = { status: 'violation', phase: 'evaluate', reason, limit: null, tail: '' };
    return { ...of, failure, metrics: {}, standardErrors: {}, margins: [], feedback: '' };
  }
  const { standardErrors = {}, ...found } = evaluatedOf(hosted, 'search', scored, known);
  if (found.failure === null) return { ...of, ...found, standardErrors };
  return {
    ...of,
    ...found,
    standardErrors,
    failure: { ...found.failure, tail: tailOf((blamedRun ?? evaluatorRun).log) },
  };
}
