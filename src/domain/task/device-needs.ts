import type { TierName } from './isolation.js';

/** Part of a task that is read here. */
interface Needing {
  resources: { pool: string; gpus: number };
  scoring: 'served' | 'direct';
  phases: {
    smoke?: { gpus: number } | undefined;
    pack?: { gpus?: number | undefined } | undefined;
    serve?: { gpus?: number | undefined } | undefined;
  };
  evaluate: { gpus: number };
}

/** Phases of a task by what they run. */
export type RunPhase = 'check' | 'smoke' | 'prewarm' | 'train' | 'pack' | 'serve' | 'evaluate';

/** Slots of a host that a training takes: its accelerators, where it needs any. */
export const leaseSize = ({ slots, gpus }: { slots: number; gpus: number }): number =>
  gpus > 0 ? gpus : slots;

/** Accelerators that a phase uses. */
export function gpusOf({ resources: { gpus }, phases, evaluate }: Needing, phase: RunPhase): number {
  switch (phase) {
    case 'check':
      return 0;
    case 'smoke':
      return phases.smoke?.gpus ?? 0;
    case 'prewarm':
    case 'train':
      return gpus;
    case 'pack':
      return phases.pack?.gpus ?? gpus;
    case 'serve':
      return phases.serve?.gpus ?? gpus;
    case 'evaluate':
      return evaluate.gpus;
  }
}

/** Accelerators that an evaluation needs, its servers with it; 0 where it needs no lease. */
export const evaluationGpus = (task: Needing): number =>
  Math.max(gpusOf(task, 'evaluate'), task.scoring === 'served' ? gpusOf(task, 'serve') : 0);

/** Accelerators that it takes to find out what can be known before training: those of a smoke run, and of what follows it. */
export function preflightGpus(task: Needing): number {
  const smoke = gpusOf(task, 'smoke');
  if (task.phases.smoke === undefined || smoke === 0) return 0;
  return Math.max(smoke, task.phases.pack === undefined ? 0 : gpusOf(task, 'pack'), evaluationGpus(task));
}

/** Names what a task says of accelerators that cannot be. */
export function deviceIssues(task: Needing): { path: string[]; message: string }[] {
  const { pool, gpus } = task.resources;
  const phases: [string[], number][] = [
    [['phases', 'smoke', 'gpus'], gpusOf(task, 'smoke')],
    [['phases', 'pack', 'gpus'], gpusOf(task, 'pack')],
    [['phases', 'serve', 'gpus'], gpusOf(task, 'serve')],
    [['evaluate', 'gpus'], gpusOf(task, 'evaluate')],
  ];
  const issues = phases
    .filter(([, asked]) => asked > gpus)
    .map(([path, asked]) => ({
      path,
      message: `${asked} accelerators are more than the ${gpus} of resources.gpus, which a lease has`,
    }));
  if (pool !== 'cpu' || gpus === 0) return issues;
  return [
    ...issues,
    {
      path: ['resources', 'pool'],
      message:
        'workers of the pool cpu use no accelerators; name another, such as gpu, and start a worker with --pool gpu',
    },
  ];
}

/** Tier below which nothing but a variable keeps a run from the accelerators of other leases. */
const TIER_OF_DEVICES: TierName = 'C';

/** Weakest tier that recipes of a campaign may run under: what it asks for, else what the task's accelerators need. */
export const demandedTier = (
  { resources }: Pick<Needing, 'resources'>,
  asked: TierName | undefined,
): TierName | null => asked ?? (resources.gpus > 0 ? TIER_OF_DEVICES : null);
