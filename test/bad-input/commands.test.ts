import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadTask } from '../../src/tasks/load.js';
import { seedCampaign, type Seeded } from '../builders/stored-campaign.js';
import { TINY } from '../fixtures/tiny.js';
import { openWorld, type World } from '../workflows/world.js';
import { assay, refusalHere, refused } from './assay.js';

let world: World;
let folder: string;
let seeded: Seeded;
beforeAll(async () => {
  world = await openWorld();
  folder = await mkdtemp(join(tmpdir(), 'assay-commands-'));
  seeded = await seedCampaign();
});
afterAll(async () => {
  await seeded.lineage.close();
  await world.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Addresses without a server: bad input has to be refused before any server is asked. */
const NOWHERE = { TEMPORAL_ADDRESS: '127.0.0.1:1', ASSAY_MONGODB_URL: 'mongodb://127.0.0.1:1/' };
const start = (...more: string[]): string[] => ['start', '--task', 'tiny', ...more];

describe('before any server is asked', () => {
  it('a malformed field is refused', async () => {
    const [zero, ...others] = ['--trials=0', '--trials=-1', '--trials=1e9'].map((flag) => start(flag));
    await refused('field-wrong', NOWHERE, zero ?? [], ...others);
    const fraction = await refusalHere(start('--trials', '1.5'), NOWHERE);
    expect(fraction.code).toBe('CAMPAIGN_INPUT');
    expect(fraction.message).toMatch(/^trials: .*int/);
    for (const [flag, field] of [
      ['--rule=best', 'rule'],
      ['--calibration=0', 'calibration'],
      ['--claim-runs=1', 'claim.runs'],
    ] as const) {
      const { code, message } = await refusalHere(start(flag), NOWHERE);
      expect(code).toBe('CAMPAIGN_INPUT');
      expect(message.startsWith(`${field}: `), message).toBe(true);
    }
    await refused('field-no-number', NOWHERE, start('--trials', 'abc'), start('--hours', ''));
  });

  it('an unknown field and an input that is no object are refused', async () => {
    await refused('field-unknown', NOWHERE, start('--input', '{"trails": 3}'));
    await writeFile(join(folder, 'list.json'), '[1]');
    await refused(
      'input-no-object',
      NOWHERE,
      start('--input', '{"trials": 3'),
      start('--input', `@${join(folder, 'list.json')}`),
      start('--input', `@${join(folder, 'none.json')}`),
    );
  });

  it('a name that could not be a workflow id, a folder and an address is refused', async () => {
    const others = ['a b', '..', '', 'x'.repeat(65), 'é'].map((name) => start('--name', name));
    await refused('name-wrong', NOWHERE, start('--name', 'a/b'), ...others);
  });

  it('an unknown flag is refused with what was meant', async () => {
    await refused('flag-unknown', NOWHERE, start('--trails', '3'));
    const command = await refusalHere(['stauts'], NOWHERE);
    expect(command.code).toBe('USAGE');
    expect(command.message).toContain('stauts');
    const missing = await refusalHere(['submit', '--task', 'tiny'], NOWHERE);
    expect(missing.code).toBe('USAGE');
    expect(missing.message).toContain('--recipe');
  });

  it('a history that is none is refused', async () => {
    await writeFile(join(folder, 'history.json'), '{"events": 3}');
    await refused('history-none', NOWHERE, ['replay', join(folder, 'history.json')]);
  });
});

describe('with servers', () => {
  it('an unknown task is refused and leaves nothing behind', async () => {
    const recipe = ['--recipe', folder, '--hypothesis', 'x'];
    await refused(
      'task-unknown',
      world.env,
      ['start', '--task', 'no-such-task'],
      ['submit', '--task', '../tiny/..'.replaceAll('/', '\\'), ...recipe],
    );
    const { stdout } = await assay(['status', '--json'], world.env);
    expect(JSON.parse(stdout)).toMatchObject({ campaigns: [] });
    const workflows = world.client.workflow.list({ query: 'WorkflowType = "campaign"' });
    for await (const { workflowId } of workflows) expect(workflowId).toBe('none at all');
  });

  it('a campaign, a trial or a name that cannot be meant is refused', async () => {
    const env = { ...world.env, ASSAY_MONGODB_DATABASE: seeded.database };
    await refused(
      'campaign-unknown',
      env,
      ['status', 'nope'],
      ['show', 'nope/t00001'],
      ['pause', 'nope'],
      ['log', 'nope/1'],
      ['trials', '../../etc'],
      ['watch', 'nope'],
    );
    expect(await refusalHere(['show', `${seeded.name}/t00099`], env)).toMatchObject({
      code: 'TRIAL_UNKNOWN',
    });
    const { spec, files } = await loadTask(TINY);
    await seeded.lineage.tasks.push(spec, files, 'person');
    await refused('name-taken', env, start('--name', seeded.name));
  });
});
