import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { control } from '../../src/cli/use-cases/control.js';
import type { CommandContext } from '../../src/cli/context.js';
import { outageIn } from '../../src/cli/client-error.js';
import { follow } from '../../src/cli/follow/live-view.js';
import { expectWorkflow } from '../../src/cli/follow/not-started.js';
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
  it.each([
    [14, true],
    [4, true],
    [8, true],
    [3, false],
    [7, false],
    [16, false],
  ])('waits for a server that fails with the gRPC status %i: %s', (code, waits) => {
    const failed = Object.assign(new Error('failed'), { code, details: 'failed', metadata: {} });
    for (const error of [failed, new ServiceError('Failed to describe workflow', { cause: failed })])
      expect(outageIn(error)?.code ?? null).toBe(waits ? 'TEMPORAL_UNAVAILABLE' : null);
  });

  it('takes a port that nobody listens on for an outage once Temporal has known the campaign', async () => {
    const { temporal } = ground.servers;
    const away = {
      ...ground,
      servers: { ...ground.servers, temporal: { ...temporal, address: '127.0.0.1:9' } },
    };
    await expect(expectWorkflow(away, 'begun')).rejects.toMatchObject({ code: 'CAMPAIGN_UNKNOWN' });
    const known = expectWorkflow(away, 'begun', { isKnown: true });
    await expect(known).rejects.toMatchObject({ code: 'TEMPORAL_UNAVAILABLE' });
  });

  it('tells why a campaign never began', async () => {
    await world.fleet();
    await world.start('misnamed', { task: 'no-such-task' });
    const signal = new AbortController().signal;
    await expect(follow(ground, 'misnamed', { json: false, signal })).rejects.toThrow(
      /did not begin: .*no-such-task/,
    );
  });
});
