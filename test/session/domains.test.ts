import { afterAll, beforeAll, expect, it } from 'vitest';
import { trialRecord } from '../../src/analysis/read-models/trial-record.js';
import { submitPerson } from '../../src/session/submit.js';
import { pushTask } from '../bad-input/test-task.js';
import { runningCampaign } from '../builders/running-campaign.js';
import { openWorld, type World } from '../workflows/world.js';

const DOMAINS = 'knobs: marked\n  domains: { arch: the shape of the model, opt: its optimiser }';

let world: World;
beforeAll(async () => {
  world = await openWorld();
  const change = (yaml: string) => yaml.replace('knobs: marked', DOMAINS);
  await pushTask(world, 'parted', change, {});
});
// no workflow runs here
afterAll(() => world.stop([/it has no status, its workflow is missing/]));

const submission = async (domain: string | null, requestId: string) => ({
  snapshot: await world.lineage.blobs.putTree([
    { path: 'train.py', bytes: Buffer.from(`X = 1  # knob: -10..10\n# ${requestId}\n`) },
  ]),
  ...{ hypothesis: 'h', expectedDelta: null, domain, requestId },
});

it('the domain of an edit is recorded apart from the role that proposes it, where the task has it', async () => {
  const { lineage } = world;
  const owner = await runningCampaign(world, 'parted-1', { task: 'parted' });
  expect(await submitPerson(lineage, owner, await submission('loss', 'a'))).toEqual({
    kind: 'refused',
    reason: '"loss" is no domain of the task; there are arch, opt',
  });
  for (const [domain, number] of [
    ['arch', 1],
    [null, 2],
  ] as const) {
    expect(await submitPerson(lineage, owner, await submission(domain, `b${number}`))).toEqual({
      kind: 'accepted',
      number,
    });
    expect(await trialRecord(lineage, 'parted-1', number)).toMatchObject({ role: 'person', domain });
  }
});

it('a task without domains takes none', async () => {
  const owner = await runningCampaign(world, 'whole-1');
  expect(await submitPerson(world.lineage, owner, await submission('arch', 'c'))).toMatchObject({
    kind: 'refused',
    reason: expect.stringContaining('the task has no domains of edits') as string,
  });
});
