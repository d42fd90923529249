import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { trialRecord } from '../../src/analysis/read-models/trial-record.js';
import { SimulatedDevices } from '../../src/devices/simulated/daemon.js';
import { assay } from '../bad-input/assay.js';
import { submitCode } from '../bad-input/test-task.js';
import { startScriptedServer, type ScriptedServer } from '../model/scripted-server.js';
import { openWorld, until, type World } from '../workflows/world.js';
import { deviceRecipe, pushDeviceTask } from './device-task.js';
import { GIB } from './simulated-host.js';

let world: World;
let folder: string;
let sockets: string;
let daemon: SimulatedDevices;
let model: ScriptedServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gpu-'));
  sockets = join(folder, 's');
  daemon = await SimulatedDevices.start({ folder: sockets, count: 3, memoryBytes: GIB });
  world = await openWorld();
  model = await startScriptedServer(
    Array.from({ length: 10 }, () => () => new Promise<never>(() => undefined)),
  );
  for (const [name, gpus, evaluatorUses] of [
    ['pair', 2, true],
    ['single', 1, false],
  ] as const)
    await pushDeviceTask(world, { name, sockets: { SIM: sockets }, gpus, evaluatorUses });
  const worker = world.worker(
    { ASSAY_DEVICES: `simulated:${sockets}`, ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' },
    [],
    ['--pool', 'gpu'],
  );
  await worker.ready;
});
afterAll(async () => {
  await world.stop();
  await model.stop();
  await daemon.stop();
  await rm(folder, { recursive: true });
});

async function open(task: string): Promise<string> {
  await world.start(task, { task, model: 'silent', specialists: ['solo'], trials: 50, isolation: 'E' });
  await until(`${task} to run`, async () =>
    (await world.lineage.campaigns.find(task))?.state === 'running' ? true : null,
  );
  return (await world.campaign(task)).owner;
}

async function ended(task: string, owner: string, number: number) {
  await until(`${task}/${number} to end`, async () => {
    const trial = await world.lineage.trials.get(owner, number);
    return trial?.status ?? null;
  });
  return trialRecord(world.lineage, task, number);
}

const listedSchema = z.looseObject({
  devices: z.array(z.looseObject({ uuid: z.string(), standing: z.string(), why: z.string().nullable() })),
});

const connections = (phase: string) => daemon.log.filter(({ who }) => who.includes(`/${phase}`));

it('training and evaluation of a trial use the devices of one lease, and no one else does meanwhile', async () => {
  const owner = await open('pair');
  const numbers = [];
  for (const x of [1.5, 2, 2.5])
    numbers.push(await submitCode(world, 'pair', deviceRecipe({ SIM: sockets }, x, 0.5)));
  const statuses = new Set<string | null>();
  for (const number of numbers) {
    const { status, replicates } = await ended('pair', owner, number);
    statuses.add(status);
    const phases = replicates.flatMap((replicate) => replicate.phases);
    const [train, evaluate] = ['train', 'evaluate'].map((name) => phases.find(({ phase }) => phase === name));
    expect(train?.devices.map(({ peakMemoryBytes }) => peakMemoryBytes)).toEqual([64 << 20, 64 << 20]);
    expect(evaluate?.devices.map(({ uuid }) => uuid)).toEqual([train?.devices[0]?.uuid]);
    expect(replicates[0]?.infra).toEqual([]);
  }
  // which are adopted depends on the order in which they are measured; all of them are measured
  expect([...statuses].filter((status) => status !== 'discard')).toEqual(['keep']);
  expect(connections('train').length).toBe(2 * 4);
  expect(connections('evaluate').length).toBe(4);
  for (const one of daemon.log)
    for (const other of daemon.log)
      if (one !== other && one.uuid === other.uuid)
        expect(one.from >= (other.to ?? Infinity) || other.from >= (one.to ?? Infinity)).toBe(true);
  const shown = await assay(['show', `pair/${numbers[0]}`], world.env);
  expect(shown.stdout).toMatch(/train \(.*SIM-\d: .*peak 67\.1 MB, 1000 MHz/);
});

it('a trial whose device is lost is measured again on others, and the loss is not its failure', async () => {
  const owner = await open('single');
  const number = await submitCode(world, 'single', deviceRecipe({ SIM: sockets }, 2, 3));
  const before = daemon.log.length;
  const used = await until('the trial to use a device', () =>
    Promise.resolve(daemon.log.slice(before).find(({ who }) => who !== '') ?? null),
  );
  const index = Number(used.uuid.split('-')[1]);
  daemon.set(index, 'lost', true);
  const { status, replicates } = await ended('single', owner, number);
  expect(status).toBe('keep');
  const [replicate] = replicates;
  expect(replicate?.infra).toMatchObject([{ reason: expect.stringContaining('it is lost') as unknown }]);
  expect(replicate?.phases[0]?.devices.map(({ uuid }) => uuid)).not.toContain(used.uuid);
  const listed = await until('the worker to report the loss', async () => {
    const { stdout } = await assay(['devices', '--json'], world.env);
    const { devices } = listedSchema.parse(JSON.parse(stdout));
    return devices.some(({ standing }) => standing === 'lost') ? devices : null;
  });
  expect(listed.find(({ uuid }) => uuid === used.uuid)).toMatchObject({
    standing: 'lost',
    why: expect.stringContaining('it is lost') as unknown,
  });
  const { stdout } = await assay(['devices'], world.env);
  expect(stdout).toMatch(/simulated device .* no work: .*it is lost/);
});
