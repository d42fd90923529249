import { LEAST_AGE_MS, type CollectedGarbage, type GarbageKind } from '../../lineage/blob-store/garbage.js';
import { collectHostGarbage, type HostGarbage } from '../../measure/host-store/host-garbage.js';
import { keptHere } from '../../measure/host-store/kept-here.js';
import { withContext } from '../context.js';
import { homeFolder } from '../folders.js';
import { bytes } from '../render/numbers.js';
import { withProgressLine } from '../terminal/progress-line.js';
import { wholeNumber } from '../terminal/parsing.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

interface Flags extends CommonFlags {
  dryRun?: boolean;
  minAge?: string;
}

const HOUR_MS = 3_600_000;
/** A week: the input of a campaign that waits for a worker is known to no record yet. */
const DEFAULT_HOURS = 168;
const BOUNDS = { min: LEAST_AGE_MS / HOUR_MS, max: 100_000 };

const NAMES: Readonly<Record<GarbageKind, string>> = {
  snapshots: 'trees that no record names',
  blobs: 'files that no record and no tree names',
  files: 'large files that were stored twice',
  chunks: 'pieces of large files whose storing or freeing was cut off',
};

export async function run(flags: Flags): Promise<void> {
  const dryRun = flags.dryRun === true;
  const minAgeHours =
    flags.minAge === undefined ? DEFAULT_HOURS : wholeNumber('--min-age', flags.minAge, BOUNDS);
  await withContext(['store'], async ({ lineage, servers }) => {
    const collected = await withProgressLine((at) =>
      lineage.garbage.collect({
        minAgeMs: minAgeHours * HOUR_MS,
        dryRun,
        onStep: (what) => at(`reading ${what} …`),
      }),
    );
    const here = await keptHere(homeFolder(), servers.store);
    const asked = { minAgeMs: minAgeHours * HOUR_MS, dryRun };
    const host = here === null ? null : await collectHostGarbage(here, await lineage.garbage.named(), asked);
    const total = totalOf(collected);
    if (flags.json === true)
      printJson({ schema: 'assay.gc/1', dryRun, minAgeHours, bytes: total, ...collected, host });
    else {
      show(collected, { dryRun, minAgeHours });
      if (host !== null) showHost(host, dryRun);
    }
  });
}

function showHost({ freed, kept }: HostGarbage, dryRun: boolean): void {
  if (freed.count > 0)
    print(`${dryRun ? 'would free' : 'freed'} ${bytes(freed.bytes)} that this host kept and no record names`);
  say(`this host keeps ${kept.count} files of ${bytes(kept.bytes)}`);
}

const totalOf = ({ freed }: CollectedGarbage): number =>
  Object.values(freed).reduce((sum, amount) => sum + amount.bytes, 0);

function show(
  collected: CollectedGarbage,
  { dryRun, minAgeHours }: { dryRun: boolean; minAgeHours: number },
): void {
  const { freed, young, kept } = collected;
  for (const kind of ['snapshots', 'blobs', 'files', 'chunks'] as const)
    if (freed[kind].count > 0) print(`${NAMES[kind]}: ${freed[kind].count}, ${bytes(freed[kind].bytes)}`);
  print(`${dryRun ? 'would free' : 'freed'} ${bytes(totalOf(collected))}`);
  say(`records need ${kept.count} files of ${bytes(kept.bytes)}`);
  if (young.count > 0)
    say(
      `${young.count} of ${bytes(young.bytes)} are not needed either, but were stored within the last ${minAgeHours} h, or by an assay that did not note when; a later run frees them`,
    );
}
