import type { Failure } from '../../domain/trial/outcome.js';
import type { ProgressPoint } from '../../domain/task/progress.js';
import type { PhaseClock } from '../../domain/task/phase-clock.js';
import { isSlow, mayBeSlow, usualSpeed } from '../../domain/trial/host-use.js';
import { lateEvidence, overrunFailure, type Overrun } from '../../domain/trial/overrun.js';
import type { PhaseRun } from '../../lineage/documents/phase-run.js';
import type { ReplicateDocument } from '../../lineage/documents/replicate.js';
import type { Lineage } from '../../lineage/lineage.js';
import { underLoad } from '../../sandbox/host/load-watch.js';
import { requireSteady } from './baseline-timing.js';
import { runInBudget } from './in-budget.js';
import type { Call } from './calls.js';
import { failureOf, recordRun, requestOf } from './phase.js';
import type { ProgressWatch } from './early-stop.js';
import { persist } from '../../lineage/persist.js';
import type { Training } from './training.js';

/** A phase on its lease. */
export interface LeasedPhase {
  call: Call;
  clock: PhaseClock;
  /** Makes its folders as they are before it runs. */
  prepare: (again: boolean) => Promise<void>;
  watch?: () => Promise<ProgressWatch>;
  /** Number of its process, where it is one of several. */
  process?: number;
}

/** Result of a phase; of two runs, that of the second. */
export interface PhaseDone {
  failure: Failure | null;
  run: PhaseRun;
  progress: readonly ProgressPoint[];
  /** Words that it said. */
  said: readonly string[];
  /** Other work on the host beside it, in the mean. */
  others: number;
}

/** Runs a phase against its clock. Every run of it is recorded. */
export async function runPhase(training: Training, phase: LeasedPhase): Promise<PhaseDone> {
  const { clock, call } = phase;
  const { last, repeated, overruns } = await runInBudget((again) => runOnce(training, phase, again));
  if (repeated !== null) repeated.run.repeated = true;
  const { run, result, stopped, progress, others } = last;
  const done = { run, progress, said: result.said ?? [], others };
  if (stopped !== null) {
    training.saved.push(stopped.saving);
    return { ...done, failure: stopped.failure };
  }
  const failure = failureOf(call.phase, result, call.warmupS);
  return { ...done, failure: failure === null ? null : lateFailure(call.phase, clock, failure, overruns) };
}

/** The failure of a phase, with what is known of its overruns; a recipe that never was ready has not trained too long. */
export function lateFailure(
  phase: 'train' | 'pack',
  clock: PhaseClock,
  failure: Failure,
  overruns: readonly Overrun[],
): Failure {
  if (overruns.length === 0) return failure;
  if (failure.status !== 'crash') return { ...failure, ...overrunFailure(phase, clock, overruns) };
  const reason = `${failure.reason}${lateEvidence(overruns)}`;
  return { ...failure, reason, busyHost: overruns.every(isSlow) };
}

async function runOnce(
  training: Training,
  { call: of, clock, prepare, watch: watched, process }: LeasedPhase,
  again: boolean,
) {
  const { context, work, attempt, runs, signal } = training;
  const { tmp, ...call } = of;
  const { phase } = call;
  await prepare(again);
  const watch = (await watched?.()) ?? null;
  await attempt.stage(phase === 'pack' ? 'packing' : 'training');
  const id = `${attempt.replicate._id}/${attempt.fence}/${phase}${process === undefined ? '' : `-${process}`}${again ? '-again' : ''}`;
  const env = { ASSAY_SEED: String(attempt.replicate.seed), ...call.env };
  const request = requestOf(context, work.hosted, { ...call, id, env, signal: watch?.signal ?? signal }, tmp);
  const { result, others } = await underLoad(
    () => context.turn.others(),
    (onReady) =>
      context.sandbox.run({
        ...request,
        onReady,
        ...(watch === null ? {} : { onOutput: (_, line) => watch.see(line) }),
      }),
  );
  if (result.ending.kind === 'cancelled') signal.throwIfAborted();
  if (phase === 'train') await requireSteady(work.hosted.spec, result, context.granted);
  const usual = await persist(signal, () =>
    usualSpeedFor(context.lineage, attempt.replicate, result.hostSpeed),
  );
  const told = { budgetS: clock.budget?.seconds ?? null, usualSpeed: usual, process: process ?? null };
  const run = await persist(signal, () => recordRun(context.lineage, phase, result, told));
  runs.push(run);
  const stopped = result.ending.kind === 'cancelled' ? (watch?.stopped(run) ?? null) : null;
  return { result, run, stopped, usualSpeed: usual, progress: watch?.points() ?? [], others };
}

/** Usual speed of a host by the campaign's trainings; null where the given speed cannot be slow. */
export async function usualSpeedFor(
  { replicates }: Lineage,
  { owner, hostClass }: Pick<ReplicateDocument, 'owner' | 'hostClass'>,
  speed: number | null,
): Promise<number | null> {
  return mayBeSlow(speed) ? usualSpeed(await replicates.trainingSpeeds(owner, hostClass)) : null;
}
