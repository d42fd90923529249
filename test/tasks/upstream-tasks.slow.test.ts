import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { TrialRecord } from '../../src/analysis/read-models/trial-record.js';
import type { UpstreamTask } from '../fixtures/upstream/copy.js';
import type { ScriptStep } from '../model/scripted-server.js';
import { edit, submit } from '../workflows/script.js';
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

const campaign = (task: UpstreamTask, trials: number, script: ScriptStep[]): Promise<TrialRecord[]> =>
  upstreamCampaign(world, task, { python, trials, script });

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
