import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { link, mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { stringify } from 'yaml';
import { writtenTable } from '../../analysis/archive/written-table.js';
import { storedTrajectory } from '../../analysis/trajectory/from-store.js';
import { trialLabel } from '../../domain/keys.js';
import { ASSAY_VERSION } from '../../lineage/assay-version.js';
import type { CampaignDocument } from '../../lineage/documents/campaign.js';
import type { Lineage } from '../../lineage/lineage.js';
import { onOneLine } from '../../lineage/archive/campaign-archive.js';
import { ARCHIVE_SCHEMA, archivePaths, type ArchiveManifest } from './archive-files.js';

/** Trials whose recipes are written at once. */
const PAGE = 200;

/** Writes everything that the store has of a campaign into a folder, but for its secrets. */
export async function exportCampaign(
  lineage: Lineage,
  campaign: CampaignDocument,
  folder: string,
  at: (what: string) => void,
): Promise<ArchiveManifest> {
  const { owner, frozen, state } = campaign;
  const of = { owner, task: frozen.task.digest };
  const paths = archivePaths(folder);
  const digests = new Set<string>();
  const documents: ArchiveManifest['documents'] = {};
  for (const kind of lineage.archive.kinds) {
    at(`writing ${kind} …`);
    documents[kind] = await writeLines(paths.documents(kind), lineage.archive.lines(kind, of, digests));
  }
  const trees = await lineage.archive.trees(digests);
  const treeLines = await writeLines(paths.trees, linesOfTrees(lineage, trees));
  const contents = await lineage.archive.contents(digests);
  for (const [done, digest] of contents.entries()) {
    at(`writing files: ${done} of ${contents.length} …`);
    await mkdir(dirname(paths.blob(digest)), { recursive: true });
    await lineage.blobs.writeTo(digest, paths.blob(digest));
  }
  at('writing recipes …');
  await writeRecipes(lineage, owner, folder);
  const { tsv, columns } = writtenTable(await storedTrajectory(lineage, campaign._id));
  await writeFile(paths.table, tsv);
  await writeFile(paths.columns, stringify(columns));
  const manifest: ArchiveManifest = {
    schema: ARCHIVE_SCHEMA,
    assay: ASSAY_VERSION,
    exportedAt: new Date().toISOString(),
    campaign: campaign._id,
    ...of,
    state,
    documents,
    trees: treeLines,
    blobs: contents.length,
  };
  await writeFile(paths.manifest, `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

async function* linesOfTrees(lineage: Lineage, trees: readonly string[]): AsyncGenerator<string> {
  for (const digest of trees)
    yield onOneLine(JSON.stringify({ digest, files: await lineage.blobs.tree(digest) }));
}

/** Writes lines to a new file; returns their number and the digest of the file. */
async function writeLines(
  file: string,
  lines: AsyncIterable<string>,
): Promise<{ count: number; sha256: string }> {
  const hash = createHash('sha256');
  let count = 0;
  const source = async function* (): AsyncGenerator<string> {
    for await (const line of lines) {
      count += 1;
      hash.update(`${line}\n`);
      yield `${line}\n`;
    }
  };
  await mkdir(dirname(file), { recursive: true });
  await pipeline(Readable.from(source()), createWriteStream(file, { flags: 'wx' }));
  return { count, sha256: hash.digest('hex') };
}

/** Writes the recipe of every trial as files, which are the ones under `blobs/` where links can be made. */
async function writeRecipes(lineage: Lineage, owner: string, folder: string): Promise<void> {
  const paths = archivePaths(folder);
  for (let below: number | undefined; ;) {
    const trials = await lineage.trials.latest(owner, PAGE, below);
    for (const { number, snapshot } of trials) {
      for (const { path, sha256 } of await lineage.blobs.tree(snapshot)) {
        const target = `${paths.snapshot(trialLabel(number))}/${path}`;
        await mkdir(dirname(target), { recursive: true });
        await link(paths.blob(sha256), target).catch(() => lineage.blobs.writeTo(sha256, target));
      }
    }
    const last = trials.at(-1)?.number;
    if (last === undefined || last === 0) return;
    below = last;
  }
}
