import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, readdir, stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { treeDigest } from '../../domain/digest.js';
import { AssayError, messageOf } from '../../domain/errors.js';
import { explain } from '../../domain/text/explain.js';
import type { ArchivedKind } from '../../lineage/archive/archive-kinds.js';
import { storedFile } from '../../lineage/documents/snapshot.js';
import type { Lineage } from '../../lineage/lineage.js';
import { archivePaths, manifestSchema, type ArchiveManifest } from './archive-files.js';

const treeLine = z.strictObject({ digest: z.string(), files: z.array(storedFile) });

/** Manifest of the archive, and the name of the campaign here. */
export interface ImportedCampaign {
  manifest: ArchiveManifest;
  name: string;
}

/**
 * Stores a campaign from its archive, read-only and marked as foreign. All of it is checked before anything is stored;
 * an import that was cut off is no campaign yet, and is continued by another.
 * @throws AssayError ARCHIVE_INVALID, CAMPAIGN_NAME_TAKEN
 */
export async function importCampaign(
  lineage: Lineage,
  folder: string,
  as: string | undefined,
  at: (what: string) => void,
): Promise<ImportedCampaign> {
  const manifest = await manifestOf(folder);
  const name = as ?? manifest.campaign;
  if (await lineage.archive.has(manifest))
    throw new AssayError('CAMPAIGN_NAME_TAKEN', `the campaign of ${folder} is in this store already`);
  if ((await lineage.campaigns.find(name)) !== null)
    throw new AssayError('CAMPAIGN_NAME_TAKEN', `this store has another campaign "${name}"`, {
      remedy: 'Give it another name here: --name NAME.',
    });
  at('checking the documents …');
  for (const kind of lineage.archive.kinds) await eachDocument(lineage, { folder, manifest, kind });
  at('checking and storing the files …');
  await storeContents(lineage, folder, manifest);
  await storeTrees(lineage, folder, manifest);
  const imported = { name, at: new Date() };
  for (const kind of lineage.archive.kinds) {
    at(`storing ${kind} …`);
    await eachDocument(lineage, { folder, manifest, kind }, (document) =>
      lineage.archive.store(document, imported),
    );
  }
  return { manifest, name };
}

async function manifestOf(folder: string): Promise<ArchiveManifest> {
  const { manifest: file } = archivePaths(folder);
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new AssayError('ARCHIVE_INVALID', `${file} cannot be read: ${messageOf(error)}`, {
      cause: error,
      remedy: 'Name a folder that `assay export` wrote; `assay report --archive` reads tables of others.',
    });
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) throw new AssayError('ARCHIVE_INVALID', `${file}: ${explain(parsed.error)}`);
  return parsed.data;
}

type Document = ReturnType<Lineage['archive']['read']>;

/** Reads the documents of one kind, and does something with each. */
async function eachDocument(
  lineage: Lineage,
  { folder, manifest, kind }: { folder: string; manifest: ArchiveManifest; kind: ArchivedKind },
  use: (document: Document) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const file = archivePaths(folder).documents(kind);
  await eachLine(file, manifest.documents[kind], (line) => use(lineage.archive.read(kind, manifest, line)));
}

async function storeTrees(lineage: Lineage, folder: string, { trees }: ArchiveManifest): Promise<void> {
  await eachLine(archivePaths(folder).trees, trees, async (line) => {
    const { digest, files } = treeLine.parse(JSON.parse(line));
    if (treeDigest(files) !== digest)
      throw new AssayError('ARCHIVE_INVALID', `the tree ${digest} has other files`);
    await lineage.blobs.putTreeOf(files);
  });
}

const DIGEST = /^[0-9a-f]{64}$/;

/** Stores the files under `blobs/`, each of which has to have the digest that it is named by. */
async function storeContents(lineage: Lineage, folder: string, { blobs }: ArchiveManifest): Promise<void> {
  const paths = archivePaths(folder);
  const files = await readdir(paths.blobs, { recursive: true, withFileTypes: true }).catch(() => []);
  const digests = files.filter((file) => file.isFile()).map(({ name }) => name);
  if (digests.length !== blobs)
    throw new AssayError('ARCHIVE_INVALID', `${paths.blobs} has ${digests.length} files, and not ${blobs}`);
  for (const digest of digests) {
    const path = paths.blob(digest);
    if (!DIGEST.test(digest)) throw new AssayError('ARCHIVE_INVALID', `${path} is not named by a digest`);
    const { size } = await stat(path);
    await lineage.blobs.putFile({ path, sha256: digest, bytes: size }).catch((error: unknown) => {
      if (!(error instanceof AssayError) || error.code !== 'HOST_FAULT') throw error;
      const wrong = `${path} does not have the digest that it is named by`;
      throw new AssayError('ARCHIVE_INVALID', wrong, { cause: error });
    });
  }
}

/** Reads a file of lines that has to have a digest and a number of lines. */
async function eachLine(
  file: string,
  said: { count: number; sha256: string } | undefined,
  use: (line: string) => Promise<void>,
): Promise<void> {
  if (said === undefined) throw new AssayError('ARCHIVE_INVALID', `archive.json says nothing of ${file}`);
  const hash = createHash('sha256');
  let count = 0;
  try {
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
      hash.update(`${line}\n`);
      count += 1;
      await use(line);
    }
  } catch (error) {
    if (!isOfArchive(error)) throw error;
    const where = count === 0 ? file : `${file}, line ${count}`;
    throw new AssayError('ARCHIVE_INVALID', `${where}: ${messageOf(error)}`, { cause: error });
  }
  if (hash.digest('hex') !== said.sha256)
    throw new AssayError(
      'ARCHIVE_INVALID',
      `${file} was changed: it does not have the digest in archive.json`,
    );
  if (count !== said.count)
    throw new AssayError('ARCHIVE_INVALID', `${file} has ${count} lines, and not ${said.count}`);
}

/** Returns true for an error of what was read, as opposed to one of the store. */
function isOfArchive(error: unknown): boolean {
  if (error instanceof AssayError) return error.code === 'ARCHIVE_INVALID' || error.code === 'STORE_DOCUMENT';
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return (
    error instanceof SyntaxError || error instanceof z.ZodError || code === 'ENOENT' || code === 'EISDIR'
  );
}
