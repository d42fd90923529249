import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Device } from '../../src/domain/devices/device.js';
import { NvidiaDevices } from '../../src/devices/nvidia.js';

let driver: string;
beforeAll(async () => {
  driver = await mkdtemp(join(tmpdir(), 'driver-'));
  for (const name of ['params', 'version', 'registry']) await writeFile(join(driver, name), '');
  await card('0000:18:00.0', 'GPU-a', 4);
  await card('0000:2a:00.0', 'GPU-b', 7);
});
afterAll(() => rm(driver, { recursive: true }));

async function card(bus: string, uuid: string, minor: number): Promise<void> {
  const folder = join(driver, 'gpus', bus);
  await mkdir(folder, { recursive: true });
  const text = `Model: \t\t NVIDIA H100\nGPU UUID: \t ${uuid}\nDevice Minor: \t ${minor}\n`;
  await writeFile(join(folder, 'information'), text);
}

const device = (uuid: string, index: number): Device => ({
  ...{ uuid, index, name: 'NVIDIA H100', memoryBytes: 1, driver: '550' },
  ...{ computeMode: 'Default', divided: false },
});

/** What a run with these devices sees of the driver and of devices. */
async function seen(...devices: Device[]) {
  const { uuids, nodes, readable } = await new NvidiaDevices(driver).access(devices);
  const ofDriver = readable
    .filter((path) => path.startsWith(driver))
    .map((path) => path.slice(driver.length));
  return { uuids, nodes: nodes.filter((path) => /^\/dev\/nvidia\d/.test(path)), ofDriver };
}

it('gives a run the nodes of its devices by their minor number, and what the driver tells of these alone', async () => {
  expect(await seen(device('GPU-b', 0))).toEqual({
    uuids: ['GPU-b'],
    nodes: ['/dev/nvidia7'],
    ofDriver: ['/params', '/version', '/gpus/0000:2a:00.0'],
  });
  expect(await seen(device('GPU-a', 1), device('GPU-c', 2))).toEqual({
    uuids: ['GPU-a', 'GPU-c'],
    nodes: ['/dev/nvidia4', '/dev/nvidia2'],
    ofDriver: ['/params', '/version', '/gpus/0000:18:00.0'],
  });
});
