import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { heldMemory, sumOfMemory } from '../../src/sandbox/process/held-memory.js';
import type { RunResult } from '../../src/sandbox/run.js';
import { openSandbox, type RunRequest } from '../../src/sandbox/sandbox.js';
import { lacks } from '../lacks.js';
import { freshFolder, LIMITS, pythonCommand, requestFor, TIERS } from './programs.js';

const MiB = 2 ** 20;
const limits = { ...LIMITS, memoryBytes: 128 * MiB, diskBytes: 1024 * MiB, sharedBytes: 512 * MiB };
/** Stays for a look of the watchdog, or until it is ended. */
const stay = (seconds: number): string => `print("done", flush=True); time.sleep(${seconds})`;
const END = stay(600);

/** Reads each page of a file of 384 MiB through a map, in this many processes. */
const reading = (processes: number): string => `
import mmap, os, time
for _ in range(${processes - 1}):
    if os.fork() == 0: break
with open(os.environ["LARGE"], "rb") as file:
    pages = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    sum(pages[at] for at in range(0, len(pages), 4096))
${stay(0.5)}`;

/** Fills a file in memory with 384 MiB, and is still there when its watchdog looks. */
const filling = (opened: string): string => `
import mmap, os, time
${opened}
os.ftruncate(file, 384 << 20)
pages = mmap.mmap(file, 0)
for at in range(0, len(pages), 4096): pages[at] = 1
${END}`;

describe.each(TIERS)('tier %s', (tier) => {
  const run = async (code: string, more: Partial<RunRequest> = {}): Promise<RunResult> => {
    const folder = freshFolder();
    const large = join(folder, 'large');
    writeFileSync(large, '');
    truncateSync(large, 384 * MiB);
    const base = requestFor(pythonCommand(code), { limits, ...more });
    const readable = [...base.readable, folder];
    return (await openSandbox({ tier })).run({ ...base, readable, env: { ...base.env, LARGE: large } });
  };

  it.each([1, 3])('lets %i processes map a file that is larger than their limit', async (processes) => {
    const { ending, log, peakRssBytes } = await run(reading(processes));
    expect(ending).toEqual({ kind: 'exited', code: 0 });
    expect(log).toContain('done');
    expect(peakRssBytes).toBeLessThan(limits.memoryBytes);
  });

  it.each([
    ['memory of its own', `import time\nheld = bytearray(384 << 20)\n${END}`],
    [
      'a private copy of a file',
      `
import mmap, os, time
file = os.open(os.environ["LARGE"], os.O_RDONLY)
pages = mmap.mmap(file, 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE)
for at in range(0, len(pages), 4096): pages[at] = 1
${END}`,
    ],
    ['a file without a name', filling('file = os.memfd_create("held")')],
    [
      'a file in /dev/shm',
      filling(`
path = "/dev/shm/assay-test-%d" % os.getpid()
file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
os.unlink(path)`),
    ],
  ])('counts %s', async (_what, code) => {
    const { ending } = await run(code);
    expect(ending).toMatchObject({ kind: 'limit', limit: 'memory', allowed: limits.memoryBytes });
  });
});

describe.each(TIERS.filter((tier) => tier < 'D'))('tier %s', (tier) => {
  const run = async (code: string): Promise<RunResult> =>
    (await openSandbox({ tier })).run(requestFor(pythonCommand(code), { limits }));
  const writing = (mebibytes: number): string => `
import time
with open("/dev/shm/file", "wb", 0) as file:
    for _ in range(${mebibytes}): file.write(bytes(1 << 20))
${END}`;

  it('counts files in /dev/shm that no process has mapped', async () => {
    expect((await run(writing(384))).ending).toMatchObject({ kind: 'limit', limit: 'memory' });
  });

  it('gives /dev/shm the stated size', async () => {
    const code = 'import os; found = os.statvfs("/dev/shm"); print(found.f_blocks * found.f_frsize)';
    expect((await run(code)).log).toBe(`${limits.sharedBytes}\n`);
  });
});

describe('a sum of memory', () => {
  it.each([
    ['nothing', [], 0, 0],
    [
      'what each holds',
      [
        { own: 1, shared: 2 },
        { own: 10, shared: 20 },
      ],
      0,
      33,
    ],
    ['files that are mapped, once', [{ own: 1, shared: 20 }], 20, 21],
    ['files that are not mapped', [{ own: 1, shared: 2 }], 50, 51],
  ])('has %s', (_what, held, files, sum) => {
    expect(sumOfMemory(held, files)).toBe(sum);
  });
});

const isForeign = lacks(process.platform !== 'linux', 'what a process holds, which only Linux tells');
it.skipIf(isForeign)('a process that has ended holds nothing, collected or not', async () => {
  const code = `
import os, sys, time
child = os.fork()
if child == 0: os._exit(0)
os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
print(child, flush=True)
sys.stdin.read()
`;
  const parent = spawn('python3', ['-c', code], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  expect(heldMemory(Number(line.toString()))).toEqual({ own: 0, shared: 0 });
  expect(heldMemory(parent.pid ?? 0)?.own).toBeGreaterThan(0);
  parent.stdin.end();
  await once(parent, 'exit');
  expect(heldMemory(parent.pid ?? 0)).toEqual({ own: 0, shared: 0 });
});
