import type { Trajectory, TrajectoryTrial } from '../../src/analysis/trajectory/trajectory.js';

/** A trial of a trajectory; a test names only the fields that it is about. */
export function trajectoryTrial(
  number: number,
  { times, costs, ...fields }: Partial<TrajectoryTrial> = {},
): TrajectoryTrial {
  const score = fields.score ?? null;
  return {
    id: String(number).padStart(3, '0'),
    number,
    role: 'opt',
    domain: null,
    edit: null,
    model: null,
    ending: 'discard',
    stage: null,
    cause: '',
    score,
    runs: score === null ? [] : [score],
    metrics: {},
    artifactBytes: null,
    parent: 0,
    hypothesis: '',
    expectedDelta: null,
    believedGain: null,
    startedAt: null,
    endedAt: null,
    times: times ?? { queueMs: null, trainMs: null, evaluateMs: null, totalMs: null },
    costs: costs ?? { microUsd: null, acceleratorMs: null, savedMs: null },
    ...fields,
  };
}

/** A search whose score is minimised from 1, of these trials in their order. */
export function trajectoryOf(
  trials: readonly Partial<TrajectoryTrial>[],
  fields: Partial<Trajectory> = {},
): Trajectory {
  return {
    name: 'search',
    source: 'archive',
    metric: { name: 'loss', unit: '', direction: 'minimize' },
    start: trajectoryTrial(0, { score: 1, role: 'start', ending: 'keep', parent: null }),
    trials: trials.map((trial, at) => trajectoryTrial(at + 1, trial)),
    noise: null,
    toolCalls: [],
    unread: [],
    ...fields,
  };
}
