import { execFileSync } from 'node:child_process';
import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterAll, describe, expect, it } from 'vitest';
import type { DeviceAccess } from '../../src/domain/devices/device.js';
import type { RunResult } from '../../src/sandbox/run.js';
import { openSandbox } from '../../src/sandbox/sandbox.js';
import { lacks } from '../lacks.js';
import { freshFolder, python, pythonCommand, requestFor, TIERS } from './programs.js';

const LIBRARY = execFileSync(python, ['-c', 'import sysconfig; print(sysconfig.get_path("stdlib"))'], {
  encoding: 'utf8',
}).trim();

const servers: Server[] = [];
afterAll(() => servers.forEach((server) => server.close()));

/** A simulated accelerator: a socket that answers whoever connects with its name. */
async function simulated(name: string): Promise<string> {
  const path = join(freshFolder(), `${name}.sock`);
  const server = createServer((socket) => socket.end(name)).listen(path);
  servers.push(server);
  await once(server, 'listening');
  chmodSync(path, 0o666);
  return path;
}

const [mine, other] = [await simulated('mine'), await simulated('other')];
const uuids = ['GPU-1', 'GPU-2'];
const onlyMine: DeviceAccess = { uuids, nodes: [mine, '/dev/null', '/dev/full'], readable: [] };

/** Says what it finds of both accelerators, by the name that the socket answers. */
const LOOK = pythonCommand(`
import json, os, socket, sys
def answer(path):
    try:
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(path)
            return link.recv(100).decode()
    except OSError as error:
        return type(error).__name__
seen = {name: answer(os.environ[name]) for name in ("MINE", "OTHER")}
seen["variable"] = os.environ.get("CUDA_VISIBLE_DEVICES")
seen["sys"] = sorted(os.listdir("/sys")) if os.path.isdir("/sys") else None
print(json.dumps(seen))`);

async function looked(tier: (typeof TIERS)[number], devices: DeviceAccess | null): Promise<RunResult> {
  const base = requestFor(LOOK);
  const env = { ...base.env, MINE: mine, OTHER: other, CUDA_VISIBLE_DEVICES: 'all' };
  const sandbox = await openSandbox({ tier });
  return sandbox.run({ ...base, env, ...(devices === null ? {} : { devices }) });
}

describe.each(TIERS)('tier %s', (tier) => {
  const isClosed = tier < 'D';

  it('lets a run use its accelerators, and says what keeps it from others', async () => {
    const { log, isolation } = await looked(tier, onlyMine);
    expect(JSON.parse(log)).toMatchObject({
      MINE: 'mine',
      OTHER: isClosed ? 'FileNotFoundError' : 'other',
      variable: 'GPU-1,GPU-2',
    });
    expect(isolation.gpu).toBe(isClosed ? 'enforced' : 'advisory');
  });

  it('shows none to a run without accelerators, whatever its environment asks for', async () => {
    const { log, isolation } = await looked(tier, null);
    expect(JSON.parse(log)).toMatchObject({
      MINE: isClosed ? 'FileNotFoundError' : 'mine',
      variable: '',
    });
    expect(isolation.gpu).toBe(isClosed ? 'enforced' : 'none');
  });

  it('blames the host for a node that is not there or that the run may not open', async () => {
    const closed = await simulated('closed');
    chmodSync(closed, 0o600);
    const missing = join(freshFolder(), 'missing');
    const refused = tier === 'D' || process.getuid?.() !== 0 ? [missing, closed] : [missing];
    for (const node of refused)
      await expect(looked(tier, { ...onlyMine, nodes: [node] })).rejects.toMatchObject({
        code: 'HOST_FAULT',
        message: expect.stringContaining(node) as unknown,
      });
  });
});

describe.each(TIERS.filter((tier) => tier < 'D'))('tier %s', (tier) => {
  it('shows what the driver reads of /sys and /proc, read-only, and nothing beside it', async () => {
    // a folder below one that is otherwise covered, as a driver's own is
    const [name] = readdirSync('/proc/irq').filter((each) => /^\d+$/.test(each));
    const readable = ['/sys/devices/system/cpu/possible', `/proc/irq/${name}`, '/sys/there/is/none'];
    const { log } = await looked(tier, { uuids, nodes: [], readable });
    expect(JSON.parse(log)).toMatchObject({ sys: ['devices'] });
    const command = [
      'cat /sys/devices/system/cpu/possible && ls /sys/devices/system',
      'touch /sys/planted || echo closed',
      'touch /proc/irq/planted || echo closed',
      'ls /proc/irq',
    ].join('; ');
    const request = requestFor(`{ ${command}; } 2>/dev/null`, { devices: { uuids, nodes: [], readable } });
    const result = await (await openSandbox({ tier })).run(request);
    expect(result.log).toMatch(new RegExp(`^\\d+(-\\d+)?\ncpu\nclosed\nclosed\n${name}\n$`));
  });
});

const cannotMount = lacks(
  process.getuid?.() !== 0 || !TIERS.includes('B'),
  'accelerators of servers with a root of their own, which need a worker that is root',
);
describe.skipIf(cannotMount)('a server with a root of its own', () => {
  it('uses its accelerators and sees no other, and files of the driver are in its root', async () => {
    const driver = join(freshFolder(), 'libdriver.so');
    writeFileSync(driver, 'driver\n');
    const folder = freshFolder();
    const sandbox = await openSandbox({ tier: 'B', cache: freshFolder() });
    const base = requestFor(`cat ${driver}; ls /dev/full; ${LOOK.replace('python3', python)}`);
    const served = await sandbox.serve({
      ...base,
      writable: [folder],
      cwd: folder,
      env: { ...base.env, MINE: mine, OTHER: other },
      readable: [],
      runtime: { paths: [python], library: [LIBRARY], folders: [] },
      devices: { ...onlyMine, readable: [driver, '/sys/devices/system/cpu/possible'] },
    });
    let printed = '';
    served.stdout.on('data', (chunk) => (printed += String(chunk)));
    const { isolation, ending, log } = await served.done;
    expect(log).toBe('');
    expect(ending).toEqual({ kind: 'exited', code: 0 });
    const [first, , last] = printed.trim().split('\n');
    expect(first).toBe('driver');
    expect(JSON.parse(last ?? '')).toEqual({
      MINE: 'mine',
      OTHER: 'FileNotFoundError',
      variable: 'GPU-1,GPU-2',
      sys: ['devices'],
    });
    expect([isolation.gpu, isolation.channels]).toEqual(['enforced', 'bounded']);
  });

  it('needs nodes that every user may open', async () => {
    const closed = await simulated('closed');
    chmodSync(closed, 0o600);
    const sandbox = await openSandbox({ tier: 'B', cache: freshFolder() });
    const request = requestFor('true', { readable: [], runtime: { paths: [], folders: [] } });
    const serving = sandbox.serve({ ...request, devices: { ...onlyMine, nodes: [closed] } });
    await expect(serving).rejects.toMatchObject({ code: 'HOST_FAULT' });
  });
});
