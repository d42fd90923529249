import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadTask } from '../../src/tasks/load.js';
import { TINY } from '../fixtures/tiny.js';
import { startScriptedServer } from '../model/scripted-server.js';
import { replayAll } from './replaying.js';
import { edit, finish, submit, turnKnob } from './script.js';
import { openWorld, until, type CampaignAsRead, type World } from './world.js';

const START = 'X = 1.0  # knob: -10..10';
const POISON = 'X = 5.0  # knob: -10..10';

let world: World;
let folder: string;
/** File that keeps the evaluator from scoring while it exists. */
let breaker: string;

beforeAll(async () => {
  world = await openWorld();
  folder = await mkdtemp(join(tmpdir(), 'assay-blocked-'));
  breaker = join(folder, 'broken');
  const task = join(folder, 'task');
  await cp(TINY, task, { recursive: true });
  await writeFile(
    join(task, 'evaluator/evaluate.py'),
    `import json, os, sys
if os.path.exists(${JSON.stringify(breaker)}):
    sys.exit("a library is missing")
with open(os.path.join(os.environ["ASSAY_ARTIFACT"], "x.json")) as file:
    x = float(json.load(file)["x"])
if x == 5:
    sys.exit("cannot score that")
answer = {"schema": "assay.evaluation/1", "metrics": {"loss": (x - 3) ** 2}, "feedback": ""}
with os.fdopen(int(os.environ["ASSAY_RESULT_FD"]), "w") as out:
    json.dump(answer, out)
`,
  );
  const { spec, files } = await loadTask(task);
  await world.lineage.tasks.push(spec, files, 'person');
});
afterAll(async () => {
  await world.stop();
  await rm(folder, { recursive: true, force: true });
});

const INPUT = { task: 'tiny', model: 'scripted', specialists: ['solo'] };

async function inState(name: string, state: CampaignAsRead['state']): Promise<CampaignAsRead> {
  return until(`${name} to be ${state}`, async () => {
    const campaign = await world.campaign(name).catch(() => null);
    return campaign?.state === state ? campaign : null;
  });
}

it('ends a trial whose artifact breaks the evaluator as a crash, when the start is scored on the same host', async () => {
  const model = await startScriptedServer([
    turnKnob(START, POISON),
    submit('breaks the evaluator'),
    turnKnob(POISON, 'X = 2.0  # knob: -10..10'),
    submit('is fine'),
  ]);
  const fleet = await world.fleet({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' });
  await (await world.start('poison', { ...INPUT, trials: 2 })).result();
  const [poison, fine] = await world.trials('poison');
  expect(poison).toMatchObject({
    status: 'crash',
    outcome: {
      score: null,
      failure: {
        phase: 'evaluate',
        reason: expect.stringMatching(
          /failed 3 times on this artifact, while it scores the start recipe on the same host: .*cannot score that/,
        ) as unknown,
      },
    },
  });
  expect(fine?.status).toBe('keep');
  const [replicate] = await world.lineage.replicates.many(poison?.replicates ?? []);
  expect(replicate?.faults.map(({ code }) => code)).toEqual(['EVALUATOR_FAULT', 'EVALUATOR_FAULT']);
  model.assertDone();
  await fleet.stop();
  await model.stop();
});

it('blocks the campaign and parks its trial when the evaluator scores nothing any more, and resumes when that is fixed', async () => {
  const model = await startScriptedServer([
    async () => {
      await writeFile(breaker, '');
      return edit(START, 'X = 2.0  # knob: -10..10');
    },
    submit('meets a broken evaluator'),
  ]);
  const fleet = await world.fleet({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' });
  const handle = await world.start('broken', { ...INPUT, trials: 1 });
  const blocked = await inState('broken', 'blocked');
  expect(blocked.reason).toMatch(
    /evaluating trial 1: the evaluator failed 3 times on this artifact, and the start is not scored either on test-host: .*a library is missing/,
  );
  expect(blocked.control).toBe('blocked');
  expect((await world.trials('broken')).map(({ status }) => status)).toEqual([null]);
  await rm(breaker);
  await handle.signal('resume');
  await handle.result();
  const [trial] = await world.trials('broken');
  expect(trial?.status).toBe('keep');
  const [replicate] = await world.lineage.replicates.many(trial?.replicates ?? []);
  expect(replicate?.trained?.fence).toBe(1);
  expect((await world.campaign('broken')).elapsed.stillMs).toBeGreaterThan(0);
  expect(await replayAll(world, ['broken'], ['campaign', 'trial'])).toHaveLength(3);
  await fleet.stop();
  await model.stop();
});

it('blocks the campaign when the provider refuses a request for good, and continues with the same turn when resumed', async () => {
  const refusal = { error: { status: 401, type: 'authentication_error', message: 'invalid x-api-key' } };
  const model = await startScriptedServer([
    refusal,
    turnKnob(START, 'X = 2.5  # knob: -10..10'),
    submit('after the key was fixed'),
    finish,
  ]);
  const fleet = await world.fleet({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' });
  const handle = await world.start('refused', { ...INPUT, trials: 1 });
  expect((await inState('refused', 'blocked')).reason).toMatch(/^solo-1: .*401.*invalid x-api-key/);
  await handle.signal('resume');
  await handle.result();
  expect((await world.trials('refused')).map(({ status }) => status)).toEqual(['keep']);
  expect((await world.campaign('refused')).state).toBe('finished');
  const { owner } = await world.campaign('refused');
  const refused = (await world.lineage.budgets.rows(owner, 100)).filter((row) => row.certainty === 'unpaid');
  expect(refused.map(({ spent }) => spent.microUsd)).toEqual([0]);
  await fleet.stop();
  await model.stop();
});
