import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { control } from '../../src/cli/use-cases/control.js';
import type { CommandContext } from '../../src/cli/context.js';
import { follow } from '../../src/cli/follow/live-view.js';
import { openWorld, type World } from '../workflows/world.js';

let world: World;
let ground: CommandContext;
beforeAll(async () => {
  world = await openWorld();
  const { namespace, lineage, client } = world;
  ground = {
    lineage,
    client: () => Promise.resolve(client),
    servers: {
      temporal: { address: inject('temporalAddress'), namespace, uiUrl: null, how: '' },
      store: { url: inject('storeUrl'), database: '', how: '' },
      alone: false,
      others: () => Promise.resolve([]),
      stop: () => Promise.resolve(),
    },
  };
});
afterAll(() => world.stop());

async function stateIs(name: string, state: string): Promise<void> {
  while ((await world.lineage.campaigns.find(name))?.state !== state) await sleep(100);
}

describe('pause, resume and stop', () => {
  it('are kept for a campaign that no worker has opened yet, and obeyed when one does', async () => {
    await world.start('early', { task: 'tiny', trials: 500 });
    const asked = await control(ground, 'early', { ask: 'stop', mode: 'now' });
    expect(asked).toMatchObject({ acknowledged: false, state: 'preparing' });
    expect(await world.lineage.campaigns.find('early')).toBeNull();
    await world.fleet();
    await stateIs('early', 'stopped');
  });

  it('return when the store shows that they were obeyed, and are refused afterwards', async () => {
    await world.fleet();
    await world.start('led', { task: 'tiny', trials: 500 });
    await stateIs('led', 'running');
    const pausing = await control(ground, 'led', { ask: 'pause', reason: 'lunch' });
    expect(pausing).toMatchObject({ acknowledged: true, state: 'paused', control: 'paused' });
    expect((await world.campaign('led')).reason).toBe('lunch');
    const resuming = await control(ground, 'led', { ask: 'resume' });
    expect(resuming).toMatchObject({ acknowledged: true, control: 'running' });
    await control(ground, 'led', { ask: 'stop', mode: 'now' });
    const signal = new AbortController().signal;
    expect(await follow(ground, 'led', { json: false, signal })).toMatchObject({ state: 'stopped' });
    await expect(control(ground, 'led', { ask: 'pause', reason: undefined })).rejects.toMatchObject({
      code: 'CAMPAIGN_ENDED',
      exit: 2,
    });
  });

  it('of an unknown campaign name the command that lists them', async () => {
    await expect(control(ground, 'nope', { ask: 'resume' })).rejects.toMatchObject({
      code: 'CAMPAIGN_UNKNOWN',
    });
  });
});

describe('following', () => {
  it('tells why a campaign never began', async () => {
    await world.fleet();
    await world.start('misnamed', { task: 'no-such-task' });
    const signal = new AbortController().signal;
    await expect(follow(ground, 'misnamed', { json: false, signal })).rejects.toThrow(
      /did not begin: .*no-such-task/,
    );
  });
});
