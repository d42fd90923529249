import { START } from '../../domain/keys.js';
import type { Failure } from '../../domain/trial/outcome.js';
import {
  hopeless,
  readProgress,
  withPoint,
  type ProgressPoint,
  type Projection,
} from '../../domain/task/progress.js';
import { leaseSize } from '../../domain/task/device-needs.js';
import { trainBudget } from '../../domain/task/phase-clock.js';
import type { PhaseRun } from '../../lineage/documents/phase-run.js';
import type { Saving } from '../../lineage/documents/saving.js';
import { replicateKey } from '../../lineage/trials/replicates.js';
import type { HostContext } from '../host-context.js';
import type { HostedTrial } from '../load-trial.js';

/** Looks at what a training says of itself, and ends a hopeless one. */
export interface ProgressWatch {
  /** Aborted when the activity is, or when the run is hopeless. */
  signal: AbortSignal;
  see(line: string): void;
  points(): readonly ProgressPoint[];
  /** Returns why it was ended and what that saved; null when it was not ended here. */
  stopped(run: PhaseRun): { failure: Failure; saving: Saving } | null;
}

/**
 * The reference is the start's own training: its code was written by no agent, so no trial can make others look
 * hopeless by what it prints, and neither the start nor a trial before it is measured is ever stopped.
 * @param toCome processes that would follow this one, which a stop saves as well
 */
export async function watchProgress(
  context: HostContext,
  work: HostedTrial,
  signal: AbortSignal,
  toCome = 0,
): Promise<ProgressWatch> {
  const declared = work.hosted.spec.phases.train.progress;
  const reference = declared === undefined ? null : await referenceOf(context, work);
  const stop = new AbortController();
  let points: readonly ProgressPoint[] = [];
  let projection: Projection | null = null;
  return {
    signal: AbortSignal.any([signal, stop.signal]),
    points: () => points,
    see: (line) => {
      const point = declared === undefined ? null : readProgress(line);
      if (point === null || declared === undefined) return;
      const more = withPoint(points, point);
      if (more === points) return;
      points = more;
      const rule = { direction: declared.direction, ...declared.stop };
      projection ??= reference === null ? null : hopeless(rule, reference.points, points);
      if (projection !== null) stop.abort();
    },
    stopped: (run) =>
      projection === null || reference === null
        ? null
        : verdict(work, projection, { ...reference, toCome }, run),
  };
}

interface Reference {
  points: readonly ProgressPoint[];
  wallMs: number;
}

async function referenceOf(
  { lineage }: HostContext,
  { trial, hosted, campaign, hostClass: { id: hostClass } }: HostedTrial,
): Promise<Reference | null> {
  if (trial.number === START) return null;
  const { owner, snapshot, replicates } = await lineage.trials.require(trial.owner, START);
  const measured = await lineage.replicates.many(replicates);
  // on another class than the first, that of its calibration
  const controls = await lineage.replicates.many(
    measured.map(({ index }) => replicateKey({ owner, snapshot, purpose: 'control', index, hostClass })),
  );
  const [trained] = [...controls, ...measured].flatMap((one) => one.trained ?? []);
  const run = trained?.runs.findLast(({ phase }) => phase === 'train');
  if (trained === undefined || run === undefined || trained.failure !== null) return null;
  const budgetMs = trainBudget(hosted.spec, campaign.frozen.trainSeconds) * 1000;
  return { points: trained.progress, wallMs: Math.min(run.wallMs, budgetMs) };
}

function verdict(
  { hosted }: HostedTrial,
  { share, value, end, reference }: Projection,
  { wallMs: referenceMs, toCome }: Pick<Reference, 'wallMs'> & { toCome: number },
  { wallMs }: PhaseRun,
): { failure: Failure; saving: Saving } {
  const { progress } = hosted.spec.phases.train;
  const metric = progress?.metric ?? 'value';
  const savedMs = Math.max(0, Math.round(referenceMs - wallMs)) + Math.round(toCome * referenceMs);
  const number = (shown: number): string => String(Number(shown.toPrecision(4)));
  const reason = `stopped early by its own progress: ${metric} ${number(value)} at ${Math.round(share * 100)} % of training would end at ${number(end)} at best, the start ended at ${number(reference)}; ${number(savedMs / 1000)} s saved`;
  return {
    failure: { status: 'discard', phase: 'train', reason, limit: null, tail: '' },
    saving: {
      kind: 'stop',
      phase: 'train',
      trial: null,
      replicate: null,
      acceleratorMs: savedMs * leaseSize(hosted.spec.resources),
    },
  };
}
