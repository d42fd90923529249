import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { growTree, type TreeNode, type TreeTrial } from '../../src/analysis/read-models/tree.js';
import { plain } from '../../src/cli/render/paint.js';
import { renderTree } from '../../src/cli/render/tree.js';
import { trialLabel } from '../../src/domain/keys.js';

const METRIC = { name: 'loss', unit: '', direction: 'minimize' } as const;

const trial = (number: number, parent: number | null, more: Partial<TreeTrial> = {}): TreeTrial => ({
  trial: trialLabel(number),
  number,
  parent: parent === null ? null : trialLabel(parent),
  role: 'arch',
  status: 'discard',
  stage: 'ended',
  score: 2 - number / 10,
  delta: parent === null ? null : -0.1,
  hypothesis: `idea ${number}`,
  adopted: parent === null || more.status === 'keep',
  ...more,
});

const TRIALS = [
  trial(0, null, { status: 'keep' }),
  trial(1, 0, { status: 'crash', score: null, delta: null }),
  trial(2, 0, { status: 'keep' }),
  trial(3, 2),
  trial(4, 2, { status: 'keep' }),
  trial(5, 3, { status: null, stage: 'training', score: null, delta: null }),
];

const lines = (trials: TreeTrial[], all: boolean) =>
  renderTree({ trials, metric: METRIC }, { all, paint: plain }).split('\n');

describe('the tree of a campaign', () => {
  it('shows what was built on, and counts the rest below its parent', () => {
    expect(lines(TRIALS, false)).toEqual([
      't00000  start, loss  2',
      '│  + 1 not built on: 1 crash',
      't00002  arch  keep  1.8000  (-0.1000)  idea 2',
      '├─ t00003  arch  discard  1.7000  (-0.1000)  idea 3',
      '│     + 1 not built on: 1 running',
      't00004  arch  keep  1.6000  (-0.1000)  idea 4',
    ]);
  });

  it('shows every trial on request', () => {
    expect(lines(TRIALS, true)).toEqual([
      't00000  start, loss  2',
      '├─ t00001  arch  crash  idea 1',
      't00002  arch  keep  1.8000  (-0.1000)  idea 2',
      '├─ t00003  arch  discard  1.7000  (-0.1000)  idea 3',
      '│  └─ t00005  arch  training  idea 5',
      't00004  arch  keep  1.6000  (-0.1000)  idea 4',
    ]);
  });

  it('branches where nothing was adopted below', () => {
    const trials = [trial(0, null, { status: 'keep' }), trial(1, 0), trial(2, 0), trial(3, 1), trial(4, 2)];
    expect(lines(trials, false)).toEqual([
      't00000  start, loss  2',
      '├─ t00001  arch  discard  1.9000  (-0.1000)  idea 1',
      '│     + 1 not built on: 1 discard',
      '└─ t00002  arch  discard  1.8000  (-0.1000)  idea 2',
      '      + 1 not built on: 1 discard',
    ]);
  });

  it('shows an empty campaign as that', () => {
    expect(lines([], false)).toEqual(['no trials']);
  });

  it('has a line for each trial of a chain that is deeper than calls may be', () => {
    const chain = Array.from({ length: 10_000 }, (_, at) =>
      trial(at, at === 0 ? null : at - 1, { status: 'keep' }),
    );
    const shown = lines(chain, false);
    expect(shown).toHaveLength(10_000);
    expect(shown.at(-1)).toMatch(/^t09999 /);
  });

  it('holds every trial exactly once, whatever its parent', () => {
    const parents = fc.array(fc.nat(60), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(parents, (drawn) => {
        const trials = drawn.map((parent, at) => trial(at, at === 0 ? null : Math.min(parent, at - 1)));
        const seen: number[] = [];
        const walk = ({ number, children }: TreeNode): void => {
          seen.push(number);
          for (const child of children) {
            expect(child.parent).toBe(trialLabel(number));
            walk(child);
          }
        };
        const root = growTree(trials);
        if (root !== null) walk(root);
        expect(seen.sort((a, b) => a - b)).toEqual(trials.map(({ number }) => number));
      }),
    );
  });
});
