import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { campaignInputSchema } from '../../src/domain/campaign/campaign.js';
import { explain } from '../../src/domain/text/explain.js';
import { loadTask } from '../../src/tasks/load.js';
import { seeded, TINY } from '../fixtures/tiny.js';
import { openWorld, until, type World } from './world.js';

/** Noise that depends on the seed, small beside the effect of the edits. */
const NOISY = `
import json, os, random, time
X = 1.0  # knob: -10..10
SLEEP = 0.0
time.sleep(SLEEP)
random.seed(int(os.environ["ASSAY_SEED"]))
with open(os.path.join(os.environ["ASSAY_OUTPUT"], "x.json"), "w") as file:
    json.dump({"x": X + random.gauss(0, 0.01)}, file)
`;

let world: World;
beforeAll(async () => {
  world = await openWorld();
  const folder = await mkdtemp(join(tmpdir(), 'assay-noisy-'));
  await cp(TINY, folder, { recursive: true });
  await writeFile(join(folder, 'recipe/train.py'), NOISY);
  const yaml = await readFile(join(folder, 'task.yaml'), 'utf8');
  await writeFile(join(folder, 'task.yaml'), seeded(yaml).replace('name: tiny', 'name: noisy'));
  const { spec, files } = await loadTask(folder);
  await world.lineage.tasks.push(spec, files, 'person');
  await rm(folder, { recursive: true });
});
afterAll(() => world.stop());

async function submission(text: string) {
  const snapshot = await world.lineage.blobs.putTree([{ path: 'train.py', bytes: Buffer.from(text) }]);
  return { snapshot, hypothesis: 'another X', expectedDelta: null, requestId: randomUUID() };
}

describe('a trial that is measured as often as a person has said', () => {
  it('continues from the finished runs when its worker was killed', async () => {
    const worker = world.worker();
    await worker.ready;
    const handle = await world.start('killed', {
      task: 'noisy',
      trials: 1,
      rule: 'posterior',
      trainHeartbeatSeconds: 5,
      submission: await submission(NOISY.replace('X = 1.0', 'X = 2.0').replace('SLEEP = 0', 'SLEEP = 2')),
      submissionRuns: 4,
    });
    const keys = await until('the second run of the trial', async () => {
      const [trial] = await world.trials('killed').catch(() => []);
      return (trial?.replicates.length ?? 0) >= 2 ? (trial?.replicates ?? []) : null;
    });
    const [first] = await world.lineage.replicates.many(keys.slice(0, 1));
    await worker.kill('SIGKILL');
    await world.fleet();
    expect(await handle.result()).toMatchObject({ state: 'finished', counted: 1 });
    const { owner } = await world.campaign('killed');
    const start = await world.lineage.trials.require(owner, 0);
    const [trial] = await world.trials('killed');
    // neither fewer nor more, though the rule has seen after one run that it is better
    expect([start.replicates.length, trial?.replicates.length]).toEqual([4, 4]);
    expect(trial?.status).toBe('keep');
    const [again] = await world.lineage.replicates.many(keys.slice(0, 1));
    expect(again?.trained).toEqual(first?.trained);
    const decision = await world.lineage.decisions.of(owner, 1);
    expect(decision?.inputs.scores).toHaveLength(4);
  }, 240_000);

  it('is measured so under every rule', async () => {
    for (const rule of ['greedy', 'threshold']) {
      const handle = await world.start(`by-${rule}`, {
        task: 'noisy',
        trials: 1,
        rule,
        submission: await submission(NOISY.replace('X = 1.0', 'X = 0.5')),
        submissionRuns: 2,
      });
      await handle.result();
      const [trial] = await world.trials(`by-${rule}`);
      expect(trial).toMatchObject({ status: 'discard' });
      expect(trial?.replicates).toHaveLength(2);
      expect(trial?.outcome?.lesson).toMatch(/^measured \S+ in 2 runs, worse than trial 0 by /);
    }
  }, 240_000);
});

describe('a fixed number of runs in the input of a campaign', () => {
  const person = {
    snapshot: 'a'.repeat(64),
    hypothesis: 'x',
    requestId: 'r',
  };
  it.each<[string, object, string | null]>([
    ['2 runs', { submission: person, submissionRuns: 2 }, null],
    ['20 runs', { submission: person, submissionRuns: 20 }, null],
    ['the same calibration', { submission: person, submissionRuns: 3, calibration: 3 }, null],
    ['1 run', { submission: person, submissionRuns: 1 }, 'submissionRuns: must be at least 2'],
    ['0 runs', { submission: person, submissionRuns: 0 }, 'submissionRuns: must be at least 2'],
    ['21 runs', { submission: person, submissionRuns: 21 }, 'submissionRuns: must be at most 20'],
    ['a search', { submissionRuns: 4 }, 'submissionRuns: only together with a submission: '],
    [
      'another calibration',
      { submission: person, submissionRuns: 4, calibration: 8 },
      'submissionRuns: the start is measured as often as the trial, not 8 times (calibration)',
    ],
  ])('%s', (_, input, fault) => {
    const parsed = campaignInputSchema.safeParse({ task: 'tiny', ...input });
    expect(parsed.success).toBe(fault === null);
    if (!parsed.success) expect(explain(parsed.error)).toContain(fault);
  });
});
