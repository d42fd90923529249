/**
 * Measures what outputs of training cost on their way: sealed, kept on the host or stored, and materialised again;
 * seconds, peak memory of the process that does it, and its memory beyond what it had before. Each step has a process
 * of its own. `npx tsx bench/bytes.ts [--mib 64,256,4096] [--stored 256]` prints a table on stderr and JSON
 * (assay.bench.bytes/1) on stdout; sizes of up to `--stored` MiB go through the store as well. It fails when a step
 * takes over 200 MiB of memory beyond its base. Linux only.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { z } from 'zod';
import { findServers } from '../src/dev/servers.js';
import { freeSpaceAt, freeSpaceText } from '../src/sandbox/host/free-space.js';

const { values } = parseArgs({
  options: {
    mib: { type: 'string', default: '64,256,1024,4096' },
    stored: { type: 'string', default: '256' },
  },
});
const MIB = 1024 * 1024;
const MOST_BEYOND = 200 * MIB;
/** Copies that lie on the disk at the same time, and what has to stay free beside them. */
const [COPIES, BESIDE] = [4, 2048 * MIB];
const STEP = fileURLToPath(new URL('./bytes/step.ts', import.meta.url));
const say = (line: string): boolean => process.stderr.write(`${line}\n`);

interface Address {
  url: string;
  database: string;
}

interface Row {
  mib: number;
  step: string;
  seconds: number;
  mibPerS: number;
  peakMib: number;
  beyondMib: number;
}

const tookSchema = z.object({ seconds: z.number(), peakBytes: z.number(), beyondBytes: z.number() });
const rounded = (value: number): number => Math.round(value * 10) / 10;

async function run(step: string, folder: string, mib: number, store: Address | null): Promise<Row> {
  const order = JSON.stringify({ step, folder, bytes: mib * MIB, store });
  const args = ['--expose-gc', '--import', 'tsx', STEP, order];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const { seconds, peakBytes, beyondBytes } = tookSchema.parse(JSON.parse(stdout));
  const row = {
    ...{ mib, step, seconds: rounded(seconds), mibPerS: Math.round(mib / seconds) },
    ...{ peakMib: rounded(peakBytes / MIB), beyondMib: rounded(beyondBytes / MIB) },
  };
  say(
    `${String(mib).padStart(5)} MiB  ${step.padEnd(12)} ${row.seconds.toFixed(1).padStart(7)} s ${String(row.mibPerS).padStart(6)} MiB/s  peak ${row.peakMib.toFixed(0).padStart(4)} MiB, beyond its base ${row.beyondMib.toFixed(0).padStart(4)} MiB`,
  );
  return row;
}

const rows: Row[] = [];
const skipped: { mib: number; why: string }[] = [];

async function measure(mib: number, store: Address | null): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-bench-bytes-'));
  try {
    const room = await freeSpaceAt(folder);
    if (room.bytes < COPIES * mib * MIB + BESIDE) {
      skipped.push({ mib, why: `its disk has ${freeSpaceText(room)}` });
      say(`${mib} MiB is skipped: ${folder} has ${freeSpaceText(room)}, and ${COPIES} copies lie there`);
      return;
    }
    await mkdir(join(folder, 'out'));
    await run('write', folder, mib, null);
    for (const step of ['seal', 'keep', 'materialise', 'check'])
      rows.push(await run(step, folder, mib, null));
    if (store === null) return;
    for (const step of ['store', 'fetch']) rows.push(await run(step, folder, mib, store));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const home = await mkdtemp(join(tmpdir(), 'assay-bench-bytes-home-'));
const servers = await findServers({ home, need: ['store'], say });
try {
  for (const mib of values.mib.split(',').map(Number))
    await measure(mib, mib <= Number(values.stored) ? servers.store : null);
} finally {
  await servers.stop();
  await rm(home, { recursive: true, force: true });
}
const most = Math.max(...rows.map(({ beyondMib }) => beyondMib));
const ok = most * MIB <= MOST_BEYOND;
const report = {
  schema: 'assay.bench.bytes/1',
  store: servers.store.how,
  ok,
  mostBeyondMib: most,
  rows,
  skipped,
};
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
if (!ok) process.exitCode = 1;
