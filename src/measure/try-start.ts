import { definedFields } from '../domain/defined-fields.js';
import type { Failure } from '../domain/trial/outcome.js';
import { missFailure } from '../domain/trial/miss-failure.js';
import { overrunFailure } from '../domain/trial/overrun.js';
import { exactGates, firstMiss, margins, type Margin } from '../domain/task/gates.js';
import { packClock, trainClock } from '../domain/task/phase-clock.js';
import { seenBy, visibleFiles } from '../domain/task/phase-key.js';
import { TIME_RATIO } from '../domain/task/task.js';
import type { StoredFile } from '../lineage/documents/snapshot.js';
import type { RunResult } from '../sandbox/run.js';
import { sealTo, type Sealed } from '../sandbox/sealing/seal.js';
import type { HostedTask } from '../tasks/host.js';
import type { RunHost } from './host-context.js';
import { startIsTimed, timeRatio, timeTraining } from './phases/baseline-timing.js';
import { packCall, trainCall } from './phases/calls.js';
import { evaluateInBudget, runInBudget, type BudgetedEvaluation } from './phases/in-budget.js';
import { clearPacking } from './phases/pack-phase.js';
import { failureOf, requestOf, sealLimits, tailOf } from './phases/phase.js';
import { makeRunFolders, removeRunFolders } from './phases/run-folders.js';
import type { LeasedPhase } from './phases/run-phase.js';
import { countedBytes } from './counted-bytes.js';
import { artifactFailure, sealedOrRefused } from './phases/seal-outputs.js';
import { clearTraining } from './phases/train-phase.js';
import { trainingFolders, type TrainingFolders } from './phases/training.js';
import { scoreSealed, type Scoring } from './score-sealed.js';
import { evaluatedOf } from './score.js';

/** One measurement of a recipe from end to end; times are seconds of wall time, null where a phase did not run. */
export interface StartRun {
  seed: number;
  /** Digest of what was evaluated; null where it came to nothing. */
  artifact: string | null;
  trainS: number | null;
  packS: number | null;
  evaluateS: number | null;
  metrics: Record<string, number>;
  margins: Margin[];
  feedback: string;
  /** Notes on parts of the evaluator's answer that were ignored or cut. */
  notes: string[];
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
  signal: AbortSignal;
  so: StartRun;
}

/**
 * Trains, packs, seals and evaluates a recipe once as a campaign would, and stores nothing.
 * @throws AssayError EVALUATOR_FAULT when the evaluator itself failed, HOST_FAULT
 */
export async function tryStart(
  context: RunHost,
  hosted: HostedTask,
  { snapshot, seed }: { snapshot: string; seed: number },
  signal: AbortSignal,
): Promise<StartRun> {
  const files = await context.lineage.blobs.tree(snapshot);
  const name = `try-${seed}`;
  const visible = visibleFiles(seenBy(hosted.spec, 'train'), files);
  const made = await makeRunFolders(context, name, visible);
  const none = { artifact: null, trainS: null, packS: null, evaluateS: null, failure: null };
  const so: StartRun = { seed, ...none, metrics: {}, margins: [], feedback: '', notes: [] };
  const run: Run = { context, hosted, snapshot, files, folders: trainingFolders(made), name, signal, so };
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
  const left = await trained(run);
  if ('failure' in left) return left.failure;
  const late = firstMiss(margins(exactGates(spec.gates), so.metrics));
  if (late !== undefined) return missFailure(spec, late);
  if (spec.phases.pack === undefined) return evaluated(run, left.sealed, folders.left);
  const clock = packClock(spec, null);
  const how = { command: spec.phases.pack.run, timeoutS: clock.limitS };
  const { result, failure } = await ran(run, {
    call: packCall({ hosted, seed: so.seed }, folders, how),
    clock,
    prepare: () => clearPacking(context, hosted, { files, folders }),
  });
  so.packS = result.wallMs / 1000;
  if (failure !== null) return failure;
  const artifact = await sealedAfter(run, result, { from: folders.artifact, to: folders.packed });
  return 'failure' in artifact ? artifact.failure : evaluated(run, artifact.sealed, folders.packed);
}

/** Trains, times the training once more beside it where the task compares times, and seals what it left. */
async function trained(run: Run): Promise<{ sealed: Sealed } | { failure: Failure }> {
  const { context, hosted, snapshot, files, folders, name, signal, so } = run;
  const settings = { hosted, seed: so.seed, trainSeconds: null };
  const again = { snapshot, name: `${name}-start`, id: `${name}/control` };
  const beside = (): Promise<number> =>
    timeTraining(context, hosted, { ...again, callOf: (at) => trainCall(settings, at) }, signal);
  const timed = startIsTimed(hosted.spec, so.seed);
  const before = timed === 'before' ? await beside() : null;
  const { result, failure } = await ran(run, {
    call: trainCall(settings, folders),
    clock: trainClock(hosted.spec, null),
    prepare: async (repeated) => (repeated ? clearTraining(context, hosted, { files, folders }) : undefined),
  });
  so.trainS = result.wallMs / 1000;
  if (failure !== null) return { failure };
  const left = await sealedAfter(run, result, { from: folders.out, to: folders.left });
  if ('failure' in left) return left;
  const startMs = timed === 'after' ? await beside() : before;
  const ratio = timeRatio({ wallMs: result.wallMs, startMs });
  so.metrics = { train_s: so.trainS, ...definedFields({ [TIME_RATIO]: ratio }) };
  so.margins = margins(hosted.spec.gates, so.metrics);
  return left;
}

/** Runs a phase against its clock; once more where it was late on a slow host. */
async function ran(
  { context, hosted, name, signal }: Run,
  { call: of, clock, prepare }: Pick<LeasedPhase, 'call' | 'clock' | 'prepare'>,
): Promise<{ result: RunResult; failure: Failure | null }> {
  const { tmp, ...call } = of;
  const { last, overruns } = await runInBudget(async (again) => {
    await prepare(again);
    const id = `${name}/${call.phase}${again ? '-again' : ''}`;
    const result = await context.sandbox.run(requestOf(context, hosted, { ...call, id, signal }, tmp));
    if (result.ending.kind === 'cancelled') signal.throwIfAborted();
    return { result, usualSpeed: null };
  });
  const { result } = last;
  const failure = failureOf(call.phase, result);
  if (failure === null || overruns.length === 0) return { result, failure };
  return { result, failure: { ...failure, ...overrunFailure(call.phase, clock, overruns) } };
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
  const incomplete = await artifactFailure(spec, sealed, folder);
  if (incomplete !== null) return incomplete;
  const code = await countedBytes(run.context, hosted, files, run.signal);
  const known = { bytes: code + sealed.bytes, ...so.metrics };
  so.artifact = sealed.digest;
  so.metrics = known;
  so.margins = margins(spec.gates, known);
  const tooLarge = firstMiss(margins(exactGates(spec.gates), known));
  if (tooLarge !== undefined) return missFailure(spec, tooLarge);
  const { last } = await evaluateInBudget((again) => evaluatedOnce(run, { sealed, folder, known, again }));
  so.evaluateS = last.evaluateS;
  so.notes = last.notes;
  so.feedback = last.feedback;
  if (last.failure !== null) return last.failure;
  so.metrics = { ...known, ...last.metrics };
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
  Pick<StartRun, 'evaluateS' | 'notes' | 'metrics' | 'margins' | 'feedback'>;

async function evaluatedOnce(
  { context, hosted, snapshot, name, signal }: Run,
  { sealed, folder, known, again }: Evaluating,
): Promise<EvaluatedOnce> {
  const scoring: Scoring = {
    name: `${name}-evaluate`,
    id: `${name}/evaluate${again ? '-again' : ''}`,
    snapshot,
    artifact: { digest: sealed.digest, put: (to) => sealTo(folder, to, sealLimits(hosted)) },
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
    return { ...of, failure, metrics: {}, margins: [], feedback: '' };
  }
  const found = evaluatedOf(hosted, 'search', scored, known);
  if (found.failure === null) return { ...of, ...found };
  return { ...of, ...found, failure: { ...found.failure, tail: tailOf((blamedRun ?? evaluatorRun).log) } };
}
