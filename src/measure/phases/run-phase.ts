import type { Failure } from '../../domain/trial/outcome.js';
import type { ProgressPoint } from '../../domain/task/progress.js';
import type { PhaseClock } from '../../domain/task/phase-clock.js';
import { mayBeSlow, usualSpeed } from '../../domain/trial/host-use.js';
import { overrunFailure } from '../../domain/trial/overrun.js';
import type { PhaseRun } from '../../lineage/documents/phase-run.js';
import type { ReplicateDocument } from '../../lineage/documents/replicate.js';
import type { Lineage } from '../../lineage/lineage.js';
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
}

/** Result of a phase; of two runs, that of the second. */
export interface PhaseDone {
  failure: Failure | null;
  run: PhaseRun;
  progress: readonly ProgressPoint[];
}

/** Runs a phase against its clock. Every run of it is recorded. */
export async function runPhase(training: Training, phase: LeasedPhase): Promise<PhaseDone> {
  const { clock, call } = phase;
  const { last, repeated, overruns } = await runInBudget((again) => runOnce(training, phase, again));
  if (repeated !== null) repeated.run.repeated = true;
  const { run, result, stopped, progress } = last;
  if (stopped !== null) {
    training.saved.push(stopped.saving);
    return { failure: stopped.failure, run, progress };
  }
  const failure = failureOf(call.phase, result);
  if (failure === null || overruns.length === 0) return { failure, run, progress };
  return { failure: { ...failure, ...overrunFailure(call.phase, clock, overruns) }, run, progress };
}

async function runOnce(
  training: Training,
  { call: of, clock, prepare, watch: watched }: LeasedPhase,
  again: boolean,
) {
  const { context, work, attempt, runs, signal } = training;
  const { tmp, ...call } = of;
  const { phase } = call;
  await prepare(again);
  const watch = (await watched?.()) ?? null;
  await attempt.stage(phase === 'pack' ? 'packing' : 'training');
  const id = `${attempt.replicate._id}/${attempt.fence}/${phase}${again ? '-again' : ''}`;
  const env = { ASSAY_SEED: String(attempt.replicate.seed), ...call.env };
  const request = requestOf(context, work.hosted, { ...call, id, env, signal: watch?.signal ?? signal }, tmp);
  const result = await context.sandbox.run(
    watch === null ? request : { ...request, onOutput: (_, line) => watch.see(line) },
  );
  if (result.ending.kind === 'cancelled') signal.throwIfAborted();
  if (phase === 'train') await requireSteady(work.hosted.spec, result, context.granted);
  const usual = await persist(signal, () =>
    usualSpeedFor(context.lineage, attempt.replicate, result.hostSpeed),
  );
  const told = { budgetS: clock.budget?.seconds ?? null, usualSpeed: usual };
  const run = await persist(signal, () => recordRun(context.lineage, phase, result, told));
  runs.push(run);
  const stopped = result.ending.kind === 'cancelled' ? (watch?.stopped(run) ?? null) : null;
  return { result, run, stopped, usualSpeed: usual, progress: watch?.points() ?? [] };
}

/** Usual speed of a host by the campaign's trainings; null where the given speed cannot be slow. */
export async function usualSpeedFor(
  { replicates }: Lineage,
  { owner, hostClass }: Pick<ReplicateDocument, 'owner' | 'hostClass'>,
  speed: number | null,
): Promise<number | null> {
  return mayBeSlow(speed) ? usualSpeed(await replicates.trainingSpeeds(owner, hostClass)) : null;
}
