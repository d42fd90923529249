import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSeedOnly } from '../../../src/domain/trial/seed-only.js';

const tree = (files: Record<string, string | Uint8Array>) =>
  Object.entries(files).map(([path, content]) => ({
    path,
    bytes: typeof content === 'string' ? Buffer.from(content) : content,
  }));
/** The lines in a recipe that stays the same around them. */
const recipe = (lines: string) =>
  tree({ 'train.py': `import os\nWIDTH = 64\n${lines}\nprint(1)\n`, lib: 'x' });

describe('an edit', () => {
  it.each([
    ['seed = 3', 'seed = 4'],
    ['SEED = 3', 'SEED = -3'],
    ['torch.manual_seed(0)', 'torch.manual_seed(12_345)'],
    ['    np.random.seed(7)', '    np.random.seed(0x1F)'],
    ['rng = default_rng(3)', 'rng = default_rng(4)'],
    ['rng = np.random.RandomState(MT19937(3))', 'rng = np.random.RandomState(MT19937(4))'],
    ['key = jax.random.PRNGKey(0)', 'key = jax.random.PRNGKey(1)'],
    ['net = Net(width=64, seed=3)', 'net = Net(width=64, seed=4)'],
    ['seeds = [1, 2, 3]', 'seeds = [1, 5, 3]'],
    ['self.seed = base * 7 + 3', 'self.seed = base * 9 + 3'],
    ['initial_seed: int = 3', 'initial_seed: int = 4'],
    ['random.seed(int(os.environ["ASSAY_SEED"]) + 1)', 'random.seed(int(os.environ["ASSAY_SEED"]) + 2)'],
    ['{"lr": 0.1, "seed": 3}', '{"lr": 0.1, "seed": 4}'],
    ['run("train --lr 0.1 --seed 3")', 'run("train --lr 0.1 --seed 4")'],
    ['seed = 1\nx = 2\nreseed(3)', 'seed = 2\nx = 2\nreseed(4)'],
    ['const kSeed = 17;', 'const kSeed = 18;'],
  ])('that turns %j into %j changes nothing but a seed', (before, after) => {
    expect(isSeedOnly(recipe(before), recipe(after))).toBe(true);
    expect(isSeedOnly(recipe(after), recipe(before))).toBe(true);
  });

  it.each([
    ['lr = 0.1', 'lr = 0.2'],
    ['rng = make(3)', 'rng = make(4)'],
    ['net = Net(width=64, seed=3)', 'net = Net(width=65, seed=3)'],
    ['net = Net(width=64, seed=3)', 'net = Net(width=65, seed=4)'],
    ['net = Net(seed=3, width=64)', 'net = Net(seed=3, width=65)'],
    ['{"lr": 0.1, "seed": 3}', '{"lr": 0.2, "seed": 3}'],
    ['run("train --seed 3 --lr 0.1")', 'run("train --seed 3 --lr 0.2")'],
    ['seed = 3\nlr = 0.1', 'seed = 4\nlr = 0.2'],
    ['seed = 3', 'seed = base'],
    ['seed = base', 'seed = other'],
    ['seed = 3', 'seed = 3 + 4'],
    ['seed = 3', 'seed = 3\nseed = 4'],
    ['seed = 3', 'if x: seed = 4'],
    ['    seed = 3', 'seed = 4'],
    ['seed = 3', 'seed  = 3'],
    ['if seed == 3: lr = 0.1', 'if seed == 3: lr = 0.2'],
    ['rng = default_rng(n)[3]', 'rng = default_rng(n)[4]'],
    ['seed = 3', 'seed = 3'],
  ])('that turns %j into %j is one of its own', (before, after) => {
    expect(isSeedOnly(recipe(before), recipe(after))).toBe(false);
  });

  it('of several files counts as a whole', () => {
    const before = tree({ a: 'seed = 1', b: 'SEED = 2', c: 'lr = 3' });
    expect(isSeedOnly(before, tree({ a: 'seed = 4', b: 'SEED = 5', c: 'lr = 3' }))).toBe(true);
    expect(isSeedOnly(before, tree({ a: 'seed = 4', b: 'SEED = 2', c: 'lr = 4' }))).toBe(false);
    expect(isSeedOnly(before, tree({ a: 'seed = 4', b: 'SEED = 2' }))).toBe(false);
    expect(isSeedOnly(before, tree({ a: 'seed = 4', b: 'SEED = 2', d: 'lr = 3' }))).toBe(false);
    expect(isSeedOnly(before, [...before, ...tree({ seed: 'seed = 3' })])).toBe(false);
  });

  it('of bytes that are no text, or of a line too long for source text, is one of its own', () => {
    const binary = (last: number) => tree({ seed: Uint8Array.of(0xff, 0xfe, last) });
    expect(isSeedOnly(binary(1), binary(2))).toBe(false);
    const long = (seed: number) => tree({ x: `${'('.repeat(20_000)}seed=${seed}` });
    expect(isSeedOnly(long(1), long(2))).toBe(false);
  });

  it('of any text is told in time, and never where nothing but words differs', () => {
    const line = fc.string({
      unit: fc.constantFrom(...'seed,=,(,-,3,.,e,+,[,),],",\\,\n,#,x, '.split(',')),
      maxLength: 400,
    });
    fc.assert(
      fc.property(line, line, (a, b) => {
        const [before, after] = [tree({ x: a }), tree({ x: b })];
        expect(isSeedOnly(before, before)).toBe(false);
        expect(isSeedOnly(before, after)).toBe(isSeedOnly(after, before));
        const numbers = /[\d.]/;
        if (!numbers.test(a) && !numbers.test(b)) expect(isSeedOnly(before, after)).toBe(false);
      }),
    );
  });
});
