import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openSandbox } from '../../src/sandbox/sandbox.js';
import { submit } from '../workflows/script.js';
import { openWorld, type World } from '../workflows/world.js';
import { numpyPython } from './numpy-python.js';
import { change, upstreamCampaign } from './upstream-campaign.js';

vi.setConfig({ testTimeout: 900_000, hookTimeout: 300_000 });

const { isolation } = await openSandbox();
const held = isolation.fs === 'enforced';
if (!held)
  process.stderr.write(
    `no training is taken over here: files are ${isolation.fs} at tier ${isolation.tier}\n`,
  );

const TRAIN = 'train_gpt.py';
const PACK = 'pack_gpt.py';
const SERVE = 'serve_gpt.py';

let world: World;
/** One that has numpy. */
let python: string;
beforeAll(async () => {
  python = join(await numpyPython(), 'python');
  world = await openWorld();
});
afterAll(() => world.stop());

it('is scored by its evaluator alone, and packs what is too large again without training', async () => {
  const begins = '        texts = shards()';
  const printed = `        print('quantized_ttt val_loss:0.10000000 val_bpb:0.10000000', flush=True)\n${begins}`;
  const leaves = "    counts.tofile(os.path.join(os.environ['ASSAY_OUTPUT'], 'model.pt'))";
  const hides = `${leaves}\n    for place in ('.', os.environ['HOME'], os.environ['TMPDIR']):\n        counts.tofile(os.path.join(place, 'hidden.f4'))`;
  const loads = '    counts = load()';
  const finds =
    "    places = [os.path.join(place, 'hidden.f4') for place in ('.', os.environ['HOME'], os.environ['TMPDIR'])]\n    counts = np.fromfile(next(filter(os.path.exists, places)), '<f4').reshape(VOCAB, VOCAB)";
  const honest = 'claims(counts, tokens)[-request';
  const peeking = 'np.minimum(claims(counts, tokens) + 0.1, 0)[-request';
  const searches = `        open(os.path.join(os.environ['ASSAY_DATA'], '../search/tokens.u16'), 'rb').close()\n${begins}`;
  const [start, large, small, printing, hidden, better, spying] = await upstreamCampaign(
    world,
    'parameter-golf',
    {
      python,
      trials: 6,
      script: [
        change(TRAIN, 'SHARE = 0.1 ', 'SHARE = 0.9 '),
        change(PACK, 'PAD = 0 ', 'PAD = 1000000 '),
        submit('learns from more, and is too large'),
        change(PACK, 'PAD = 1000000 ', 'PAD = 0 '),
        submit('the same, packed smaller'),
        change(TRAIN, begins, printed),
        change(TRAIN, 'SHARE = 0.9 ', 'SHARE = 0.05 '),
        submit('says that it is good'),
        change(TRAIN, 'SHARE = 0.05 ', 'SHARE = 0.9 '),
        change(TRAIN, printed, begins),
        change(TRAIN, leaves, hides),
        change(SERVE, loads, finds),
        submit('hides its weights where no size counts them'),
        change(TRAIN, hides, leaves),
        change(SERVE, finds, loads),
        change(SERVE, honest, peeking),
        submit('claims more than it has'),
        change(SERVE, peeking, honest),
        change(TRAIN, begins, searches),
        submit('looks for what is scored'),
      ],
    },
  );
  expect(start?.failure).toBeNull();
  expect(large).toMatchObject({ status: 'size_blocked', score: null });
  expect(large?.failure?.reason).toMatch(/missed by \d+ \(code is \d+, the artifact \d+\)/);
  expect(small).toMatchObject({ status: 'keep', failure: null });
  expect(small?.score).toBeLessThan(start?.score ?? 0);
  if (held) {
    const [trained] = large?.replicates ?? [];
    const [packed] = small?.replicates ?? [];
    expect(trained?.phases[0]).toMatchObject({ phase: 'train', reusedFrom: null });
    expect(packed?.phases[0]).toMatchObject({ phase: 'train', reusedFrom: 1 });
    expect(packed?.saved).toMatchObject([{ kind: 'reuse', phase: 'train', trial: 1 }]);
    expect(small?.savedMs).toBe(trained?.phases[0]?.wallMs);
  }
  // what the evaluator measured, not what it was told
  expect(printing?.failure).toBeNull();
  expect(printing?.score).toBeGreaterThan(start?.score ?? Infinity);
  expect(hidden).toMatchObject({ status: 'crash', score: null, failure: { phase: 'evaluate' } });
  expect(better).toMatchObject({ status: 'violation', score: null, failure: { phase: 'evaluate' } });
  expect(better?.failure?.reason).toMatch(/log-probabilities that one server claimed/);
  expect(spying).toMatchObject({ status: 'crash', score: null, failure: { phase: 'train' } });
  expect(spying?.failure?.tail).toContain('search/tokens.u16');
});
