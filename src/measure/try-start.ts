import type { Failure } from '../domain/trial/outcome.js';
import { margins, type Margin } from '../domain/task/gates.js';
import { packClock } from '../domain/task/phase-clock.js';
import { seenBy, visibleFiles } from '../domain/task/phase-key.js';
import { comparesTimes, TIME_RATIO } from '../domain/task/task.js';
import type { StoredFile } from '../lineage/documents/snapshot.js';
import type { RunResult } from '../sandbox/run.js';
import { sealTo, type Sealed } from '../sandbox/sealing/seal.js';
import type { HostedTask } from '../tasks/host.js';
import type { RunHost } from './host-context.js';
import { clearPacking } from './phases/pack-phase.js';
import { packCall, trainCall, type Call } from './phases/calls.js';
import { countedBytes, failureOf, requestOf, sealLimits, tailOf } from './phases/phase.js';
import { makeRunFolders, removeRunFolders } from './phases/run-folders.js';
import { incompleteFailure, sealedOrRefused } from './phases/seal-outputs.js';
import { trainingFolders, type TrainingFolders } from './phases/training.js';
import { scoreSealed } from './score-sealed.js';
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
  /** What was ignored or cut in the evaluator's answer. */
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

/** Runs one phase after another; returns the first failure. */
async function phasesOf(run: Run): Promise<Failure | null> {
  const { context, hosted, files, folders, so } = run;
  const { spec } = hosted;
  const trained = await ran(run, trainCall({ hosted, seed: so.seed, trainSeconds: null }, folders));
  so.trainS = trained.wallMs / 1000;
  const left = await sealedAfter(run, trained, { phase: 'train', from: folders.out, to: folders.left });
  if ('failure' in left || spec.phases.pack === undefined)
    return 'failure' in left ? left.failure : evaluated(run, left.sealed, folders.left);
  await clearPacking(context, hosted, { files, folders });
  const how = { command: spec.phases.pack.run, timeoutS: packClock(spec, null).limitS };
  const packed = await ran(run, packCall({ hosted, seed: so.seed }, folders, how));
  so.packS = packed.wallMs / 1000;
  const from = { phase: 'pack', from: folders.artifact, to: folders.packed } as const;
  const artifact = await sealedAfter(run, packed, from);
  return 'failure' in artifact ? artifact.failure : evaluated(run, artifact.sealed, folders.packed);
}

async function ran({ context, hosted, name, signal }: Run, { tmp, ...call }: Call): Promise<RunResult> {
  const id = `${name}/${call.phase}`;
  const result = await context.sandbox.run(requestOf(context, hosted, { ...call, id, signal }, tmp));
  if (result.ending.kind === 'cancelled') signal.throwIfAborted();
  return result;
}

async function sealedAfter(
  { hosted }: Run,
  result: RunResult,
  { phase, from, to }: { phase: 'train' | 'pack'; from: string; to: string },
): Promise<{ sealed: Sealed } | { failure: Failure }> {
  const failure = failureOf(phase, result);
  if (failure !== null) return { failure };
  const { sealed, refused } = await sealedOrRefused(sealTo(from, to, sealLimits(hosted)));
  // what is missing in the output is often told in the log
  return refused === null ? { sealed } : { failure: { ...refused, tail: tailOf(result.log) } };
}

async function evaluated(run: Run, sealed: Sealed, folder: string): Promise<Failure | null> {
  const { context, hosted, snapshot, files, name, signal, so } = run;
  const { spec, parts } = hosted;
  const incomplete = incompleteFailure(spec, sealed);
  if (incomplete !== null) return incomplete;
  const ratio = comparesTimes(spec) ? { [TIME_RATIO]: 1 } : {};
  const known = { bytes: countedBytes(spec, files) + sealed.bytes, train_s: so.trainS ?? 0, ...ratio };
  so.artifact = sealed.digest;
  so.metrics = known;
  so.margins = margins(spec.gates, known);
  const { scored, damage } = await scoreSealed(
    context,
    hosted,
    {
      name: `${name}-evaluate`,
      id: `${name}/evaluate`,
      snapshot,
      artifact: { digest: sealed.digest, put: (to) => sealTo(folder, to, sealLimits(hosted)) },
      known,
      data: parts.search,
      env: {},
    },
    signal,
  );
  so.evaluateS = scored.evaluatorRun.wallMs / 1000;
  if (damage !== null)
    return { status: 'violation', phase: 'evaluate', reason: `changed ${damage}`, limit: null, tail: '' };
  const found = evaluatedOf(hosted, 'search', scored, known);
  so.notes = scored.notes;
  so.metrics = { ...known, ...found.metrics };
  so.margins = found.failure === null ? found.margins : so.margins;
  so.feedback = found.feedback;
  return found.failure === null
    ? null
    : { ...found.failure, tail: tailOf((scored.blamedRun ?? scored.evaluatorRun).log) };
}
