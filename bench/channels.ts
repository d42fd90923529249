/**
 * Measures the speed of the channels that no root, user or mask closes: two sandboxes of this machine's best tier,
 * the sender with a root of its own, in lockstep through this program (two that run at once have to agree on times
 * instead). `npx tsx bench/channels.ts [STEPS]` prints a table on stderr and JSON (assay.bench.channels/1) on stdout.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSandbox } from '../src/sandbox/sandbox.js';
import { findPython } from '../src/tasks/python.js';
import { arrived, Party, type Channel } from '../test/sandbox/channels/parties.js';

const STEPS = Number(process.argv[2] ?? 100);

const OPEN: readonly (Channel & { bits: number })[] = [
  { name: 'inode numbers', bytes: 1, mask: 0xff, bits: 8 },
  { name: 'processor load', bytes: 1, mask: 0x01, bits: 1 },
];

const work = await mkdtemp(join(tmpdir(), 'assay-bench-channels-'));
try {
  const cache = join(work, 'cache');
  const python = await findPython(cache, '', new AbortController().signal);
  const sandbox = await openSandbox({ cache });
  const rows = [];
  for (const channel of OPEN) {
    const sender = await Party.start(sandbox, python, work, true);
    const receiver = await Party.start(sandbox, python, work, false);
    const began = performance.now();
    const part = await arrived(channel, sender, receiver, randomBytes(STEPS));
    const seconds = (performance.now() - began) / 1000;
    await Promise.all([sender.end(), receiver.end()]);
    rows.push({
      name: channel.name,
      arrived: part,
      bitsPerS: Math.round((part * STEPS * channel.bits) / seconds),
    });
  }
  for (const { name, arrived: part, bitsPerS } of rows)
    process.stderr.write(
      `${name.padEnd(16)} ${(100 * part).toFixed(0).padStart(4)} % of steps ${bitsPerS} bit/s\n`,
    );
  const { tier } = sandbox.isolation;
  process.stdout.write(
    `${JSON.stringify({ schema: 'assay.bench.channels/1', tier, steps: STEPS, rows }, null, 2)}\n`,
  );
} finally {
  await rm(work, { recursive: true, force: true });
}
