import type { FrontierRow, LineageView, TrialRow } from '../../src/domain/session/view.js';
import type { Measure } from '../../src/domain/task/task.js';

/** The row of a measured trial of `opt` that was not adopted. */
export function trialRow(trial: number, more: Partial<TrialRow> = {}): TrialRow {
  return {
    trial,
    role: 'opt',
    parent: trial === 0 ? null : 0,
    hypothesis: `idea ${trial}`,
    status: 'discard',
    labels: [],
    score: 2.5,
    runs: null,
    noise: null,
    delta: 0.1,
    expectedDelta: null,
    believed: null,
    margins: [],
    changes: '',
    moved: null,
    lesson: '',
    ...more,
  };
}

/** The row of a frontier of which nothing else is known. */
export const frontierRow = (row: TrialRow, more: Partial<FrontierRow> = {}): FrontierRow => ({
  ...row,
  ...{ sizes: null, phases: [], report: [], diff: [] },
  ...more,
});

/** A view of a campaign with a few trials, the third of which is the frontier. */
export const viewOf = ({ metric }: { metric: Measure }): LineageView => ({
  campaign: 'demo',
  metric,
  left: { trials: 7, hours: 3.14, dollars: 6.2, acceleratorSeconds: null },
  base: 3,
  start: trialRow(0, { status: 'keep', score: 2.761, delta: null }),
  frontier: frontierRow(
    trialRow(3, {
      status: 'keep',
      score: 2.65,
      delta: -0.111,
      runs: 2,
      noise: { sd: 0.004, runs: 5 },
      expectedDelta: -0.2,
      believed: { mean: 2.653, sd: 0.004 },
      moved: { label: 'word, letter 1', from: 0.4, to: 0.35 },
      lesson: 'better',
    }),
    {
      sizes: { code: 10_079, artifact: 12_269, total: 22_348, limit: 24_000 },
      report: ['2.6500 bits/byte', '  word, letter 1   0.350  [-0.050]'],
      diff: [
        '--- a/train.py',
        '+++ b/train.py',
        '-LR = 0.3  # knob: 0.01..3 log',
        '+    LR = 0.6  # knob: 0.01..3 log',
      ],
    },
  ),
  chain: [trialRow(0, { status: 'keep' })],
  own: [
    trialRow(5, {
      status: 'size_blocked',
      score: null,
      delta: null,
      margins: [{ gate: 'size', metric: 'bytes', value: 25_100, limit: 24_000, side: 'max', over: 1_100 }],
      changes: '-    a = 1\n+    a = 2',
      lesson: 'too large',
    }),
  ],
  neighbours: [trialRow(4, { role: 'arch', score: 2.7 })],
  nearMisses: [trialRow(6, { status: 'disqualified', score: 2.6 })],
  running: [{ trial: 7, role: 'arch', stage: 'training', hypothesis: 'wider' }],
  failures: [{ status: 'size_blocked', phase: null, trials: [5, 2], lesson: 'too large' }],
  directions: [
    { name: 'step size', trials: [6, 5, 4], kept: 1, sinceKept: 2 },
    { name: 'data order', trials: [], kept: 0, sinceKept: 0 },
  ],
  expectations: { trials: 4, share: 0.4, sameSign: 3 },
  notes: [{ session: 'opt-1/2', text: 'LR above 1 diverges.\nTry a warm-up.' }],
});
