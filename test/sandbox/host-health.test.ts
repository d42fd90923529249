import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { diskFullSandbox } from '../../src/sandbox/host/disk-full-sandbox.js';
import { roomCheck, writeCheck } from '../../src/sandbox/host/host-health.js';
import { openSandbox, type RunRequest } from '../../src/sandbox/sandbox.js';
import { fill, smallDisk, type SmallDisk } from './small-disk.js';

const MIB = 1024 * 1024;

describe('a disk without room', () => {
  let folder: string;
  let disk: SmallDisk | null;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'assay-full-'));
    disk = smallDisk(folder, 4);
  });
  afterEach(async () => {
    disk?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  const request = (command: string, diskBytes: number): RunRequest => ({
    id: `full-${process.pid}-${Math.random()}`,
    command,
    cwd: folder,
    writable: [folder],
    readable: [],
    env: { PATH: '/usr/bin:/bin' },
    limits: { wallS: 20, memoryBytes: 256 * MIB, diskBytes, logBytes: 4096, processes: 8 },
    signal: new AbortController().signal,
  });

  it('is the fault of its host, not of the program that met it; what a program overruns itself is its own', async () => {
    const wanted = disk === null ? 2 ** 60 : MIB;
    const sandbox = diskFullSandbox(
      await openSandbox({ tier: 'E' }),
      folder,
      roomCheck(folder, () => wanted),
    );
    const greedy = disk === null ? 'exit 1' : 'head -c 9000000 /dev/zero > grown';
    await expect(sandbox.run(request(greedy, 64 * MIB))).rejects.toMatchObject({ code: 'HOST_FAULT' });
    await rm(join(folder, 'grown'), { force: true });
    const own = await sandbox.run(request('head -c 2000000 /dev/zero > grown', MIB));
    expect(own.ending).toMatchObject({ kind: 'limit', limit: 'disk' });
  });

  it('is seen by the checks, and so is one that takes no file', async () => {
    expect(await roomCheck(folder, () => 1).look()).toBeNull();
    expect(await roomCheck(folder, () => 2 ** 60).look()).toContain('is full');
    expect(await writeCheck(folder).look()).toBeNull();
    expect(await writeCheck('/proc').look()).toContain('takes no file');
    if (disk === null) return;
    await fill(folder, 0);
    expect(await roomCheck(folder, () => MIB).look()).toContain('is full');
    expect(await writeCheck(folder).look()).toContain('ENOSPC');
  });
});
