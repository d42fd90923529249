import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HostDocument } from '../../src/lineage/documents/host.js';
import { openWorld, until, type World } from '../workflows/world.js';
import { TestHome, type Running } from './command.js';
import { fill, smallDisk, type SmallDisk } from '../sandbox/small-disk.js';

const MIB = 1024 * 1024;

describe('a host whose disk is full', () => {
  let world: World;
  let full: TestHome;
  let well: TestHome;
  let disk: SmallDisk | null;
  beforeAll(async () => {
    world = await openWorld();
    full = await TestHome.open();
    well = await TestHome.open();
    disk = smallDisk(full.folder, 96);
    await mkdir(join(full.folder, 'work'), { recursive: true });
  });
  afterAll(async () => {
    for (const { pid } of [...full.processes(), ...well.processes()]) process.kill(pid, 'SIGKILL');
    await world.stop();
    disk?.remove();
    await full.remove();
    await well.remove();
  });

  const on = (home: TestHome, host: string, roles: string[], freeMb: number): Running =>
    home.run(['worker', ...roles, '--slots', '1'], {
      ...world.env,
      ASSAY_HOME: home.folder,
      ASSAY_HOST: host,
      ASSAY_FREE_MB: String(freeMb),
    });
  const report = (host: string, healthy: boolean): Promise<HostDocument> =>
    until(`${host} says that it is ${healthy ? 'well' : 'not well'}`, async () => {
      const all = await world.lineage.hosts.list();
      return all.find((each) => each.host === host && each.healthy === healthy) ?? null;
    });

  /** Hosts that finished the phases of a trial, and the most attempts that took. */
  async function phases(id: string): Promise<{ hosts: string[]; attempts: number }> {
    const { events } = await world.client.workflow.getHandle(id).fetchHistory();
    const started = (events ?? []).flatMap((event) => {
      const { identity, attempt } = event.activityTaskStartedEventAttributes ?? {};
      return identity?.startsWith('host-')
        ? [{ host: identity.split(':')[0] ?? '', attempt: attempt ?? 0 }]
        : [];
    });
    const hosts = [...new Set(started.map(({ host }) => host))].sort();
    return { hosts, attempts: Math.max(...started.map(({ attempt }) => attempt)) };
  }

  async function finished(name: string): Promise<void> {
    await until(
      `the end of ${name}`,
      async () => ((await world.campaign(name).catch(() => null))?.state === 'finished' ? true : null),
      150,
    );
  }

  it('stops polling, another does the trials, nothing is blamed, and it polls again when it has room', async () => {
    const conductor = on(well, 'conductor', ['orchestrator', 'model'], 1);
    // without a small disk, a threshold that no disk meets simulates a full one
    const first = on(full, 'host-full', ['trainer', 'evaluator'], disk === null ? 1e9 : 48);
    await Promise.all([conductor.says('workers:'), first.says('workers:')]);
    const ballast = disk === null ? null : await fill(full.folder, 8 * MIB);
    const { why, pool, roles } = await report('host-full', false);
    expect([pool, roles]).toEqual(['cpu', ['trainer', 'evaluator']]);
    expect(why).toContain('is full');
    await first.says('this host takes no more work');

    const input = { task: 'tiny', specialists: ['solo'], trials: 2 };
    await world.start('two-hosts', input);
    const second = on(well, 'host-well', ['trainer', 'evaluator'], 1);
    await finished('two-hosts');
    const trials = await world.trials('two-hosts');
    expect(trials.map(({ status }) => status)).not.toContain('cancelled');
    expect(trials.map(({ status }) => status)).not.toContain('crash');
    const { trials: counted } = await world.campaign('two-hosts').then(({ frozen }) => frozen.limits);
    expect(trials.filter(({ status }) => status !== 'duplicate')).toHaveLength(counted);
    for (const number of [
      0,
      ...trials.filter((trial) => trial.status !== 'duplicate').map((trial) => trial.number),
    ]) {
      const done = await phases(`two-hosts/t${String(number).padStart(5, '0')}`);
      expect(done.hosts).toEqual(['host-well']);
      // a poll that was out when the disk filled may have brought one task
      expect(done.attempts).toBeLessThanOrEqual(2);
    }

    second.signal('SIGTERM');
    await second.ended;
    if (ballast !== null) await rm(ballast);
    else {
      first.signal('SIGTERM');
      await first.ended;
      await on(full, 'host-full', ['trainer', 'evaluator'], 1).says('workers:');
    }
    await report('host-full', true);
    await world.start('after', { ...input, trials: 1 });
    await finished('after');
    expect(await phases('after/t00000')).toMatchObject({ hosts: ['host-full'] });
  }, 240_000);
});
