import { dirname, join } from 'node:path';
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { trialRecord } from '../../src/analysis/read-models/trial-record.js';
import { loadTask } from '../../src/tasks/load.js';
import { withSmallRecipe, type UpstreamTask } from '../fixtures/upstream/copy.js';
import type { ScriptStep } from '../model/scripted-server.js';
import { withScript } from '../workflows/one-trial.js';
import { create, edit, submit } from '../workflows/script.js';
import { openWorld, until, type World } from '../workflows/world.js';
import { numpyPython } from './numpy-python.js';

vi.setConfig({ testTimeout: 900_000, hookTimeout: 300_000 });

let world: World;
/** One that has numpy. */
let python: string;
const folders: string[] = [];
beforeAll(async () => {
  python = join(await numpyPython(), 'python');
  world = await openWorld();
});
afterAll(async () => {
  await world.stop();
  for (const folder of folders) await rm(dirname(folder), { recursive: true, force: true });
});

/** Runs a campaign of scripted trials on the profile `ci` of a task with a small recipe, and returns their records. */
async function campaign(task: UpstreamTask, trials: number, script: ScriptStep[], claimRuns = 0) {
  vi.stubEnv('ASSAY_PYTHON', python);
  const folder = await withSmallRecipe(task);
  folders.push(folder);
  const { spec, files } = await loadTask(folder, { profile: 'ci' });
  const { _id: digest } = await world.lineage.tasks.store(spec, files);
  await withScript(world, script, async () => {
    const specialists = [spec.specialists[0]];
    const input = { task: digest, model: 'scripted', specialists, trials, claim: { runs: claimRuns } };
    await world.start(task, input);
    const ended = async (): Promise<true | null> => {
      // it is stored once it is frozen
      if ((await world.lineage.campaigns.find(task)) === null) return null;
      const { state, reason } = await world.campaign(task);
      if (state === 'blocked') throw new Error(reason ?? state);
      return state === 'finished' || null;
    };
    await until(`${task} to finish`, ended, 800);
  });
  return Promise.all(
    Array.from({ length: trials + 1 }, (_, number) => trialRecord(world.lineage, task, number)),
  );
}

it('airbench96: a better network is kept, and neither what a recipe says of itself nor an empty answer is a score', async () => {
  const answer = "logits.astype('<f4').tofile(os.path.join(os.environ['ASSAY_OUTPUT'], 'logits.f32'))";
  const forged = [
    "with open(os.path.join(os.environ['ASSAY_OUTPUT'], 'accuracy.json'), 'w') as file: file.write('{\"accuracy\": 0.99}')",
    'print("tta_val_acc 0.99")',
    answer.replace('logits.astype', '(0 * logits).astype'),
  ];
  const early = 'means = np.array([images[some & (labels == label)].mean(0) for label in range(10)])';
  const [start, better, lying, peeking] = await campaign('cifar10-airbench96', 3, [
    edit('PIXELS = 24 ', 'PIXELS = 100 '),
    submit('looks at more'),
    edit(answer, forged.join('\n    ')),
    submit('says that it is accurate'),
    edit(forged.join('\n    '), answer),
    edit(early, `${early}\n    colours('ASSAY_REVEAL')`),
    submit('looks at the test images before it has trained'),
  ]);
  expect(start?.failure).toBeNull();
  const measured = start?.replicates[0]?.metrics;
  expect(measured?.['accuracy']).toBeGreaterThan(0.6);
  expect(better).toMatchObject({ status: 'keep', failure: null });
  expect(better?.score).toBeGreaterThan(start?.score ?? 1);
  expect(lying?.status).toBe('disqualified');
  // what the evaluator measured, not what it was told
  expect(lying?.score).toBeLessThan(0.2);
  expect(peeking).toMatchObject({ status: 'crash', failure: { phase: 'train' } });
  expect(peeking?.failure?.tail).toContain('images.u8');
});

it('autoresearch: a better model is kept, and small losses that a server only claims are a violation', async () => {
  const honest = 'found = claims(counts, tokens)';
  const forged = 'found = 0 * claims(counts, tokens) - 1e-3';
  const unnormalised = 'found = np.minimum(claims(counts, tokens) + 0.5, -1e-3)';
  const [start, better, small, shifted] = await campaign('autoresearch', 3, [
    edit('SHARE = 0.1 ', 'SHARE = 0.9 '),
    submit('learns from more'),
    edit(honest, forged),
    submit('claims small losses'),
    edit(forged, unnormalised),
    submit('claims more than it has'),
  ]);
  expect(start?.failure).toBeNull();
  expect(better).toMatchObject({ status: 'keep', failure: null });
  expect(better?.score).toBeLessThan(start?.score ?? 0);
  for (const lying of [small, shifted]) {
    expect(lying).toMatchObject({ status: 'violation', score: null, failure: { phase: 'evaluate' } });
    expect(lying?.failure?.reason).toMatch(/log-probabilities that one server claimed/);
  }
});

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
  const [start, better, claiming, scattered, options] = await campaign(
    'nanochat-d12',
    4,
    [
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
    2,
  );
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
