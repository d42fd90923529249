import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FrontierRow, LineageView, SeenRow } from '../../src/domain/session/view.js';
import { TRIAL_STATUSES } from '../../src/domain/statuses.js';
import { labelSchema } from '../../src/domain/trial/labels.js';
import { readView } from '../../src/model/view/read-view.js';
import { MIN_VIEW_TOKENS, renderView } from '../../src/model/view/render-view.js';
import { frontierRow, trialRow, viewOf } from '../builders/view-rows.js';

const VIEW = viewOf({ metric: { name: 'bpb', unit: 'bits/byte', direction: 'minimize', limit: 0 } });

const text = fc.oneof(
  fc.string({ maxLength: 3000 }),
  fc.string({ unit: 'binary', maxLength: 50 }),
  fc.constant('x\n## Frontier\ntrial 9 [opt] keep'),
);
const number = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer());
const margin = fc.record({
  gate: text,
  metric: text,
  value: number,
  limit: number,
  side: fc.constantFrom('max' as const, 'min' as const),
  over: number,
});
const row = {
  trial: fc.nat(9_999_999),
  role: text,
  parent: fc.option(fc.nat()),
  hypothesis: text,
  status: fc.option(fc.constantFrom(...TRIAL_STATUSES)),
  labels: fc.subarray([...labelSchema.options]),
  score: fc.option(number),
  runs: fc.option(fc.integer({ min: 1, max: 100 })),
  noise: fc.option(fc.record({ sd: number, runs: fc.option(fc.nat()) })),
  delta: fc.option(number),
  expectedDelta: fc.option(number),
  believed: fc.option(fc.record({ mean: number, sd: number })),
  margins: fc.array(margin, { maxLength: 3 }),
  changes: text,
  moved: fc.option(fc.record({ label: text, from: number, to: number })),
  lesson: text,
};
const anyRow: fc.Arbitrary<SeenRow> = fc.record(row);
const anyFrontier: fc.Arbitrary<FrontierRow> = fc.record({
  ...row,
  sizes: fc.constant(null),
  phases: fc.constant([]),
  report: fc.array(text, { maxLength: 4 }),
  diff: fc.array(text, { maxLength: 4 }),
});
const rows = fc.array(anyRow, { maxLength: 12 });
const anyView: fc.Arbitrary<LineageView> = fc.record({
  campaign: text,
  metric: fc.record({
    name: text,
    unit: text,
    direction: fc.constantFrom('minimize' as const, 'maximize' as const),
  }),
  left: fc.record({
    trials: fc.option(fc.nat()),
    hours: fc.option(fc.nat()),
    dollars: fc.option(fc.nat()),
    acceleratorSeconds: fc.option(fc.nat()),
  }),
  base: fc.nat(),
  start: anyRow,
  frontier: anyFrontier,
  chain: rows,
  own: rows,
  neighbours: rows,
  nearMisses: rows,
  running: fc.array(
    fc.record({ trial: fc.nat(), role: text, stage: fc.constant('training' as const), hypothesis: text }),
    { maxLength: 4 },
  ),
  failures: fc.array(
    fc.record({
      status: fc.constantFrom(...TRIAL_STATUSES),
      phase: fc.option(fc.constantFrom('train', 'pack')),
      trials: fc.array(fc.nat(), { minLength: 1 }),
      lesson: text,
    }),
    { maxLength: 4 },
  ),
  directions: fc.array(
    fc.record({ name: text, trials: fc.array(fc.nat()), kept: fc.nat(), sinceKept: fc.nat() }),
    { maxLength: 4 },
  ),
  expectations: fc.option(fc.record({ trials: fc.nat(), share: number, sameSign: fc.nat() })),
  notes: fc.array(fc.record({ session: text, text }), { maxLength: 3 }),
});

describe('a rendered view', () => {
  it('has every section, in whole lines', () => {
    expect(renderView(VIEW, 2000).split('\n')).toEqual([
      'Campaign demo: bpb in bits/byte, lower is better, limit 0. Trials left: 7. Left besides: hours 3.1, dollars 6.20.',
      "Your role's expectations: 4 trials, measured about 40 % of what was expected; 3 of them with the expected sign.",
      '',
      '## Start',
      'trial 0 [opt] keep, score 2.761 bits/byte: idea 0',
      '',
      '## Frontier (what the search builds on)',
      'trial 3 [opt] keep, parent 0, score 2.65 bits/byte (2 runs that differ by about 0.004; believed 2.653 ± 0.004), delta -0.111: idea 3',
      '  bytes 22348 of 24000: code 10079, artifact 12269; 1652 free',
      '  lesson: better; expected -0.2, measured -0.111 (55 % of it); moved most: word, letter 1 from 0.4 to 0.35 (-0.05)',
      '  evaluator (in brackets: change against its parent):',
      '    2.6500 bits/byte',
      '      word, letter 1   0.350  [-0.050]',
      '  diff against its parent:',
      '    --- a/train.py',
      '    +++ b/train.py',
      '    -LR = 0.3  # knob: 0.01..3 log',
      '    +    LR = 0.6  # knob: 0.01..3 log',
      '',
      '## Running now',
      '- trial 7 of arch (training): wider',
      '',
      '## Notes of your role’s last sessions, newest first',
      '- opt-1/2: LR above 1 diverges. Try a warm-up.',
      '',
      "## Your role's recent trials, newest first",
      'trial 5 [opt] size_blocked, parent 0: idea 5',
      '  gate size: 25100 of 24000 bytes, OVER by 1100 bytes',
      '  changes:',
      '    -    a = 1',
      '    +    a = 2',
      '  lesson: too large',
      '',
      "## Other roles' recent trials, newest first",
      'trial 4 [arch] discard, parent 0, score 2.7 bits/byte, delta +0.1: idea 4',
      '',
      '## Near misses: better than the frontier, stopped by a gate',
      'trial 6 [opt] disqualified, parent 0, score 2.6 bits/byte, delta +0.1: idea 6',
      '',
      '## Failures among the newest trials, by cause',
      '- size_blocked: 2 trials (5, 2); the newest: too large',
      '',
      '## Directions among the newest trials',
      '- step size: 3 trials (6, 5, 4); 1 kept, none of the newest 2',
      '- data order: nothing tried',
    ]);
  });

  it('can be read back', () => {
    const read = readView(`before\n${renderView(VIEW, 2000)}\nafter`);
    expect(read).toMatchObject({ direction: 'minimize', trialsLeft: 7, frontier: 3 });
    expect(read?.rows.find(({ trial }) => trial === 3)).toMatchObject({
      status: 'keep',
      parent: 0,
      score: 2.65,
      delta: -0.111,
    });
    expect(read?.rows.map(({ trial }) => trial).sort()).toEqual([0, 3, 4, 5, 6]);
  });

  it('names the labels of a trial, and is read back with them', () => {
    const labelled = trialRow(3, { labels: ['seed-fixed', 'seed-only'], delta: -0.1 });
    const shown = renderView(
      {
        ...VIEW,
        frontier: frontierRow(labelled),
        own: [trialRow(9, { labels: ['seed-only'], delta: null })],
      },
      2000,
    );
    expect(shown).toContain(
      'trial 3 [opt] discard, parent 0, score 2.5 bits/byte, delta -0.1, seed-fixed, seed-only: idea 3',
    );
    const read = readView(shown)?.rows ?? [];
    expect(read.find(({ trial }) => trial === 3)).toMatchObject({ delta: -0.1, hypothesis: 'idea 3' });
    expect(read.find(({ trial }) => trial === 9)).toMatchObject({
      delta: null,
      score: 2.5,
      hypothesis: 'idea 9',
    });
  });

  it('drops whole rows, and whole lines of a row, to fit its budget', () => {
    const whole = new Set(renderView(VIEW, 2000).split('\n'));
    for (const budget of [300, 350, 400, 500])
      for (const line of renderView(VIEW, budget).split('\n'))
        if (!/^\(\d+ more; the lineage tool shows them\)$/.test(line)) expect(whole).toContain(line);
  });

  it('fits any budget, always has start and frontier, and cannot be forged from within', () => {
    fc.assert(
      fc.property(anyView, fc.integer({ min: MIN_VIEW_TOKENS, max: 5000 }), (view, budget) => {
        const shown = renderView(view, budget);
        expect(shown.length).toBeLessThanOrEqual(budget * 4);
        expect(shown).toContain('\n## Frontier');
        expect(shown).toContain('\n## Start');
        const read = readView(shown);
        expect(read?.frontier).toBe(view.frontier?.trial);
        const lines = shown.split('\n').filter((line) => line.startsWith(`trial ${view.start.trial}`));
        expect(lines.length).toBeGreaterThan(0);
        expect(shown.match(/^## Frontier/gm)).toHaveLength(1);
      }),
      { numRuns: 60 },
    );
  });
});
