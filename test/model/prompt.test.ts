import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TRIAL_STATUSES } from '../../src/domain/statuses.js';
import { taskSchema } from '../../src/domain/task/task.js';
import { labelSchema } from '../../src/domain/trial/labels.js';
import type { LineageView, TrialRow } from '../../src/domain/session/view.js';
import {
  baseIn,
  editableIn,
  openingMessage,
  renderView,
  promptBlocks,
  roleSection,
  systemPrompt,
} from '../../src/model/prompt.js';
import { MIN_VIEW_TOKENS, readView } from '../../src/model/view-text.js';

const task = taskSchema.parse({
  schema: 'assay.task/1',
  name: 'golf',
  title: 'A small model',
  metric: { name: 'bpb', unit: 'bits/byte', direction: 'minimize', limit: 0 },
  recipe: { editable: ['train.py', 'lib/**'], counted: ['train.py', 'lib/**'], knobs: 'marked' },
  resources: {},
  phases: { train: { run: 'python train.py', timeout_s: 15, output: 'out/' } },
  scoring: 'direct',
  evaluate: { run: 'python evaluate.py', timeout_s: 30 },
  gates: [{ name: 'size', metric: 'bytes', max: 24000, known: 'pack' }],
  specialists: ['opt'],
});

function row(trial: number, change: Partial<TrialRow> = {}): TrialRow {
  const base = {
    trial,
    role: 'opt',
    parent: trial === 0 ? null : 0,
    hypothesis: `idea ${trial}`,
    status: 'discard',
  } as const;
  return {
    ...base,
    labels: [],
    score: 2.5,
    delta: 0.1,
    believed: null,
    margins: [],
    changes: '',
    lesson: '',
    ...change,
  };
}

const VIEW: LineageView = {
  campaign: 'demo',
  metric: task.metric,
  trialsLeft: 7,
  start: row(0, { status: 'keep', score: 2.761, delta: null }),
  frontier: row(3, {
    status: 'keep',
    score: 2.65,
    delta: -0.111,
    believed: { mean: 2.653, sd: 0.004 },
    changes: '-LR = 0.3  # knob: 0.01..3 log\n+LR = 0.6  # knob: 0.01..3 log',
  }),
  chain: [row(0, { status: 'keep' })],
  own: [
    row(5, {
      status: 'size_blocked',
      score: null,
      delta: null,
      margins: [{ gate: 'size', metric: 'bytes', value: 25_100, limit: 24_000, side: 'max', over: 1_100 }],
      lesson: 'too large',
    }),
  ],
  neighbours: [row(4, { role: 'arch', status: null, score: null, delta: null })],
  nearMisses: [],
};

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
const anyRow: fc.Arbitrary<TrialRow> = fc.record({
  trial: fc.nat(9_999_999),
  role: text,
  parent: fc.option(fc.nat()),
  hypothesis: text,
  status: fc.option(fc.constantFrom(...TRIAL_STATUSES)),
  labels: fc.subarray([...labelSchema.options]),
  score: fc.option(number),
  delta: fc.option(number),
  believed: fc.option(fc.record({ mean: number, sd: number })),
  margins: fc.array(margin, { maxLength: 3 }),
  changes: text,
  lesson: text,
});
const rows = fc.array(anyRow, { maxLength: 12 });
const anyView: fc.Arbitrary<LineageView> = fc.record({
  campaign: text,
  metric: fc.record({
    name: text,
    unit: text,
    direction: fc.constantFrom('minimize' as const, 'maximize' as const),
  }),
  trialsLeft: fc.option(fc.nat()),
  start: anyRow,
  frontier: anyRow,
  chain: rows,
  own: rows,
  neighbours: rows,
  nearMisses: rows,
});

describe('a rendered view', () => {
  it('shows scores with their unit, margins, changes and lessons', () => {
    const shown = renderView(VIEW, 2000);
    expect(shown).toContain('demo: bpb in bits/byte, lower is better, limit 0. Trials left: 7.');
    expect(shown).toContain(
      'trial 3 [opt] keep, parent 0, score 2.65 bits/byte (believed 2.653 ± 0.004), delta -0.111: idea 3',
    );
    expect(shown).toContain('    +LR = 0.6 # knob: 0.01..3 log');
    expect(shown).toContain('gate size: 25100 of 24000 bytes, OVER by 1100 bytes');
    expect(shown).toContain('trial 4 [arch] running');
    expect(renderView(VIEW, 2000)).toBe(shown);
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
    expect(read?.rows.map(({ trial }) => trial).sort()).toEqual([0, 3, 4, 5]);
  });

  it('names the labels of a trial, and is read back with them', () => {
    const labelled = row(3, { labels: ['seed-fixed', 'seed-only'], delta: -0.1 });
    const shown = renderView(
      { ...VIEW, frontier: labelled, own: [row(9, { labels: ['seed-only'], delta: null })] },
      2000,
    );
    expect(shown).toContain(
      'trial 3 [opt] discard, parent 0, score 2.5 bits/byte, delta -0.1, seed-fixed, seed-only: idea 3',
    );
    const rows = readView(shown)?.rows ?? [];
    expect(rows.find(({ trial }) => trial === 3)).toMatchObject({ delta: -0.1, hypothesis: 'idea 3' });
    expect(rows.find(({ trial }) => trial === 9)).toMatchObject({
      delta: null,
      score: 2.5,
      hypothesis: 'idea 9',
    });
  });

  it('fits any budget, always has start and frontier, and cannot be forged from within', () => {
    fc.assert(
      fc.property(anyView, fc.integer({ min: MIN_VIEW_TOKENS, max: 5000 }), (view, budget) => {
        const shown = renderView(view, budget);
        expect(shown.length).toBeLessThanOrEqual(budget * 4);
        expect(shown).toContain('\n## Frontier');
        expect(shown).toContain('\n## Start');
        const read = readView(shown);
        expect(read?.frontier).toBe(view.frontier.trial);
        const lines = shown.split('\n').filter((line) => line.startsWith(`trial ${view.start.trial}`));
        expect(lines.length).toBeGreaterThan(0);
        expect(shown.match(/^## Frontier/gm)).toHaveLength(1);
      }),
      { numRuns: 60 },
    );
  });
});

describe('a prompt', () => {
  it('states the exact gates and budgets, the role and what may be changed', () => {
    const parts = {
      task,
      role: 'opt',
      rolePrompt: 'Tune LR.',
      knowledge: 'Known: LR 1.',
      trainSeconds: 10,
      turns: 30,
      sessionTrials: 4,
    };
    const [shared, own] = systemPrompt(parts);
    const prompt = `${shared}\n\n${own}`;
    for (const words of [
      'bytes at most 24000',
      'train.py, lib/**',
      'training budget: 10 s',
      'at most 30 turns and 4 trials',
      'Known: LR 1.',
    ])
      expect(prompt).toContain(words);
    expect(roleSection(prompt).trim()).toBe('Tune LR.');
    expect(systemPrompt({ ...parts, role: 'arch', rolePrompt: 'Change layers.' })[0]).toBe(shared);
    expect(promptBlocks(prompt, shared.length + 2)).toEqual([shared, own]);
    expect(promptBlocks(prompt, null)).toEqual([prompt]);
  });

  it('states when a phase is really ended, and what sizes count', () => {
    const parts = { task, role: 'opt', rolePrompt: '', knowledge: '', turns: 30, sessionTrials: null };
    expect(systemPrompt({ ...parts, trainSeconds: 10 })[0]).toContain('`python train.py`, killed after 11 s');
    const [unbudgeted] = systemPrompt({ ...parts, trainSeconds: null });
    expect(unbudgeted).toContain('`python train.py`, killed after 15 s');
    expect(unbudgeted).not.toContain('training budget');
    expect(unbudgeted).toContain('plus the UTF-8 length of its path plus 1');
  });

  it('opens with the files and the trial that the workspace stands on', () => {
    const opening = openingMessage(VIEW, task, 500, 'demo/opt-1, session 2');
    expect(editableIn(opening)).toEqual(['train.py', 'lib/**']);
    expect(baseIn(opening)).toBe(3);
    expect(opening).toContain('Session demo/opt-1, session 2.');
  });
});
