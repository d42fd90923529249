import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startLogRotation, rotateLogs } from '../../src/dev/process/log-rotation.js';
import { mustRun } from '../../src/dev/process/commands.js';
import { homeAt, type Home } from '../../src/dev/paths.js';
import { checkDiskSpace } from '../../src/dev/disk-space.js';
import { kill, launch, type ServerProcess } from '../../src/dev/process/server-process.js';
import { until } from '../shutdown/command.js';

let home: Home;
let server: ServerProcess | null = null;
beforeEach(async () => {
  home = homeAt(await mkdtemp(join(tmpdir(), 'assay-logs-')));
});
afterEach(async () => {
  if (server !== null) await kill(server);
  server = null;
  await rm(home.folder, { recursive: true, force: true });
});

const quiet = (): void => undefined;
const LIMIT = 20_000;

/** A server that talks without end: a numbered line of 100 bytes every few milliseconds. */
async function talking(): Promise<string> {
  const log = join(home.logs, 'talk.log');
  const script = 'n=0; while :; do n=$((n+1)); printf "%099d\\n" $n; sleep 0.005; done';
  const marker = `assay-talk-${process.pid}`;
  server = await launch({ file: '/bin/sh', args: ['-c', script], cwd: home.folder, log, marker });
  return log;
}

const sizeOf = (file: string): Promise<number> =>
  stat(file).then(
    (found) => found.size,
    () => 0,
  );
const lastNumber = async (file: string): Promise<number> =>
  Number((await readFile(file, 'utf8')).trimEnd().split('\n').at(-1));

it('the log of a running server stays bounded, and continues where it was cut', async () => {
  const log = await talking();
  const caretaker = startLogRotation(home, quiet, { limitBytes: LIMIT, everyMs: 50 });
  try {
    let largest = 0;
    const cuts = await until('five limits of output', async () => {
      largest = Math.max(largest, await sizeOf(log), await sizeOf(`${log}.1`));
      const number = await lastNumber(log).catch(() => 0);
      return number * 100 > 5 * LIMIT ? number : null;
    });
    // ten looks are missed on a very slow machine
    expect(largest).toBeLessThan(3 * LIMIT);
    const kept = await readFile(`${log}.1`, 'utf8');
    expect(kept.split('\n')[0]).toHaveLength(99);
    await until('later lines', async () => ((await lastNumber(log)) > cuts ? true : null));
    expect(await readFile(log, 'utf8')).not.toContain('\0');
  } finally {
    caretaker.stop();
  }
});

it('the next command cuts the log of a server that outlived its own', async () => {
  const log = await talking();
  await until('a log over its limit', async () => ((await sizeOf(log)) > LIMIT ? true : null));
  await rotateLogs(home, LIMIT);
  expect(await sizeOf(log)).toBeLessThan(LIMIT);
  expect(await sizeOf(`${log}.1`)).toBe(LIMIT);
});

it('an installer that is interrupted dies with all that it started, and the interrupt is what is told', async () => {
  const stopping = new AbortController();
  const file = join(home.folder, 'pid');
  const script = `sleep 300 & echo $! > ${file}; wait`;
  const running = mustRun('/bin/sh', ['-c', script], {
    cwd: home.folder,
    seconds: 60,
    signal: stopping.signal,
  });
  running.catch(quiet);
  const pid = await until(
    'its child',
    async () => Number(await readFile(file, 'utf8').catch(() => '')) || null,
  );
  const reason = new Error('interrupted');
  stopping.abort(reason);
  await expect(running).rejects.toBe(reason);
  await until(
    'the end of its child',
    () => {
      const state = execFileSync('sh', ['-c', `ps -o stat= -p ${pid} || echo gone`])
        .toString()
        .trim();
      return /^(gone|Z)/.test(state) || null;
    },
    5,
  );
});

it('servers do not start on a disk without room', async () => {
  const folder = join(home.folder, 'small');
  await mkdir(folder);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder], { stdio: 'pipe' });
  } catch (error) {
    process.stderr.write(`no small disk here, so only a large one is looked at: ${String(error)}\n`);
    await expect(checkDiskSpace(folder, quiet)).resolves.toBeUndefined();
    return;
  }
  try {
    await writeFile(join(folder, 'file'), 'x');
    const refused = checkDiskSpace(join(folder, 'not', 'there', 'yet'), quiet);
    await expect(refused).rejects.toMatchObject({ code: 'DISK_FULL', exit: 3 });
    await expect(refused).rejects.toThrow('8 MB free');
  } finally {
    execFileSync('umount', ['-l', folder]);
  }
  await sleep(0);
});
