/** One step of bench/bytes.ts in a process of its own; JSON of what it took on stdout. */
import { readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { openLineage, type Lineage } from '../../src/lineage/lineage.js';
import { HostStore } from '../../src/measure/host-store/host-store.js';
import { keepOutputs, writeOutputs, type KeptOutputs } from '../../src/measure/phases/kept-outputs.js';
import { seal, sealTo } from '../../src/sandbox/sealing/seal.js';

const orderSchema = z.object({
  step: z.enum(['write', 'seal', 'keep', 'materialise', 'check', 'store', 'fetch']),
  folder: z.string(),
  bytes: z.number(),
  store: z.object({ url: z.string(), database: z.string() }).nullable(),
});

const MIB = 1024 * 1024;
const order = orderSchema.parse(JSON.parse(process.argv[2] ?? '{}'));
const { folder, bytes } = order;
const [out, left, back] = ['out', 'left', 'back'].map((name) => join(folder, name));
const note = join(folder, 'outputs.json');
if (out === undefined || left === undefined || back === undefined) throw new Error('no folders');
const LIMITS = { maxBytes: Number.MAX_SAFE_INTEGER, maxEntries: 100 };

/** Real bytes that do not compress, since a sparse file is refused. */
async function write(path: string): Promise<void> {
  const file = await open(path, 'wx');
  const piece = Buffer.alloc(MIB);
  for (let at = 0; at < bytes; at += MIB) {
    crypto.getRandomValues(new Uint8Array(piece.buffer, piece.byteOffset, 65_536));
    piece.copyWithin(65_536, 0);
    await file.write(piece, 0, Math.min(MIB, bytes - at));
  }
  await file.sync();
  await file.close();
}

/** Resident memory of this process now, and its peak since it was last asked to forget it, in bytes. */
const memory = (key: 'VmRSS' | 'VmHWM'): number =>
  1024 * Number(new RegExp(`${key}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);

async function timed(work: () => Promise<unknown>): Promise<void> {
  globalThis.gc?.();
  writeFileSync('/proc/self/clear_refs', '5');
  const base = memory('VmRSS');
  const began = performance.now();
  await work();
  const seconds = (performance.now() - began) / 1000;
  const peak = memory('VmHWM');
  process.stdout.write(JSON.stringify({ seconds, peakBytes: peak, beyondBytes: Math.max(0, peak - base) }));
}

const kept = await HostStore.open({
  ...{ folder: join(folder, 'kept'), host: 'bench', store: '', env: {} },
  isNeeded: () => Promise.resolve(true),
  onLeft: () => Promise.resolve(),
});
const lineage = order.store === null ? null : await openLineage(order.store);

/** Only the steps of the store read it. */
const context: { kept: HostStore; lineage: Pick<Lineage, 'blobs'> } = {
  kept,
  lineage: {
    get blobs() {
      if (lineage === null) throw new Error('this step has no store');
      return lineage.blobs;
    },
  },
};

const outputs = (): KeptOutputs => {
  const { files, onHost } = z
    .object({
      files: z.array(z.object({ path: z.string(), sha256: z.string(), bytes: z.number() })),
      onHost: z.object({ host: z.string(), folder: z.string(), gone: z.null() }).nullable(),
    })
    .parse(JSON.parse(readFileSync(note, 'utf8')));
  return { files, onHost };
};

/** Keeps what was sealed, of which only the digests are known beforehand. */
async function keep(storedUpTo: number): Promise<void> {
  const sealed = { ...outputs(), files: [...outputs().files], bytes, digest: '' };
  await timed(async () => {
    const made = await keepOutputs(context, {
      ...{ replicate: 'bench', folder: left ?? '', sealed, storedUpTo, must: true },
    });
    writeFileSync(note, JSON.stringify(made));
  });
}

const STEPS: Record<typeof order.step, () => Promise<void>> = {
  write: () => timed(() => write(join(out, 'model.bin'))),
  seal: () =>
    timed(async () => {
      const { files } = await sealTo(out, left, LIMITS);
      writeFileSync(note, JSON.stringify({ files, onHost: null }));
    }),
  keep: () => keep(0),
  store: () => keep(Number.MAX_SAFE_INTEGER),
  materialise: () => timed(() => writeOutputs(context, outputs(), back)),
  fetch: () => timed(() => writeOutputs(context, outputs(), back)),
  check: () => timed(() => seal(back, LIMITS)),
};
await STEPS[order.step]();
await lineage?.close();
