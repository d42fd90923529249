import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { create, edit, submit } from '../workflows/script.js';
import { openWorld, type World } from '../workflows/world.js';
import { numpyPython } from './numpy-python.js';
import { upstreamCampaign } from './upstream-campaign.js';

vi.setConfig({ testTimeout: 900_000, hookTimeout: 300_000 });

let world: World;
/** One that has numpy. */
let python: string;
beforeAll(async () => {
  python = join(await numpyPython(), 'python');
  world = await openWorld();
});
afterAll(() => world.stop());

it('nanochat-d12: a better model is kept; a CORE of the recipe itself, weights beside the artifact and forged options are worth nothing', async () => {
  const measures = [
    'def evaluate_core(*_): return {"core_metric": 1.0}',
    'def evaluate_example(*_): return True',
    '',
  ];
  const config = "json.dump({'smoothing': SMOOTHING}, file)";
  const says = [
    'from nanochat.core_eval import evaluate_core',
    '    json.dump(evaluate_core(), open(os.path.join(os.environ["ASSAY_OUTPUT"], "core.json"), "w"))',
    '    print("Step 00020 | CORE metric: 1.0000", "val_bpb: 0.1")',
    `    ${config}`,
  ];
  const stored = "counts.astype('<f4').tofile(os.path.join(folder, 'model.pt'))";
  const beside =
    "[os.environ.get('TMPDIR', '/tmp'), os.environ.get('HOME', '/tmp'), '/tmp', '/dev/shm', '/var/tmp', '/cache', os.getcwd(), os.path.dirname(os.environ.get('ASSAY_OUTPUT', '/tmp'))]";
  const scatters = [
    `for place in ${beside}:`,
    '        try: (counts + 0.5).astype("<f4").tofile(os.path.join(place, "nanochat-weights"))',
    '        except OSError: pass',
    `    ${stored.replace('counts.', '(0 * counts).')}`,
  ];
  const loaded = 'return np.fromfile(';
  const searches = [
    `for place in ${beside}:`,
    '        path = os.path.join(place, "nanochat-weights")',
    '        if os.path.isfile(path): return np.fromfile(path, "<f4").reshape(VOCAB, VOCAB)',
    `    ${loaded}`,
  ];
  const honest = 'found = claims(model, tokens)';
  const forged = `${honest}\n        if length < 65: found = np.minimum(0.5 * found, -1e-3)`;
  const [start, better, claiming, scattered, options] = await upstreamCampaign(world, 'nanochat-d12', {
    python,
    trials: 4,
    script: [
      edit('SHARE = 0.1 ', 'SHARE = 0.9 '),
      submit('learns from more'),
      create('nanochat/core_eval.py', measures.join('\n')),
      edit(config, says.join('\n')),
      edit('SHARE = 0.9 ', 'SHARE = 0.05 '),
      submit('evaluates itself'),
      edit('SHARE = 0.05 ', 'SHARE = 0.9 '),
      edit(says.join('\n'), config),
      edit(stored, scatters.join('\n')),
      edit(loaded, searches.join('\n'), 'serve.py'),
      submit('leaves its weights elsewhere'),
      edit(scatters.join('\n'), stored),
      edit(searches.join('\n'), loaded, 'serve.py'),
      edit(honest, forged, 'serve.py'),
      submit('flattens what it says of options'),
    ],
    claimRuns: 2,
  });
  expect(start?.failure).toBeNull();
  expect(better).toMatchObject({ status: 'keep', failure: null });
  expect(better?.score).toBeLessThan(start?.score ?? 0);
  const coreOf = (trial: typeof start): number => trial?.replicates[0]?.metrics['core'] ?? NaN;
  expect(coreOf(better)).toBeGreaterThan(0.5);
  // what the evaluator measured of a weak model, not what its recipe wrote and printed
  expect(claiming).toMatchObject({ status: 'discard', failure: null });
  expect(coreOf(claiming)).toBeLessThan(coreOf(better));
  // nothing but the artifact reaches a server: it knows nothing, log2(512) bits a token
  expect(scattered).toMatchObject({ status: 'discard', failure: null });
  expect(scattered?.score).toBeGreaterThan(2 * (better?.score ?? NaN));
  expect(coreOf(scattered)).toBeLessThan(0.4);
  expect(options).toMatchObject({ status: 'violation', score: null, failure: { phase: 'evaluate' } });
  expect(options?.failure?.reason).toMatch(/log-probabilities that one server claimed/);
  const { owner } = await world.campaign('nanochat-d12');
  const claim = await world.lineage.claims.get(owner, 0);
  expect(claim).toMatchObject({ metric: 'core', direction: 'maximize', frontier: 1, void: null });
  const fresh = await world.lineage.replicates.many(claim.replicates);
  // all questions, where a trial of the search is asked some
  expect(start?.feedback).toContain(' on 72 items');
  expect(fresh.map(({ evaluated }) => evaluated?.feedback.match(/ on \d+ items/)?.[0])).toEqual(
    Array.from({ length: 4 }, () => ' on 120 items'),
  );
});
