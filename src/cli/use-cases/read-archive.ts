import { readFile, readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { parse } from 'yaml';
import type { ArchiveRun, Contradiction } from '../../analysis/archive/archive-run.js';
import { columnsSchema, type Columns } from '../../analysis/archive/columns.js';
import { contradictions } from '../../analysis/archive/contradictions.js';
import { knownColumns } from '../../analysis/archive/known-columns.js';
import { parseDelimited } from '../../analysis/archive/delimited.js';
import { missingColumns, readTable } from '../../analysis/archive/read-table.js';
import { sideContradictions } from '../../analysis/archive/side-records.js';
import { AssayError, messageOf } from '../../domain/errors.js';
import { explain } from '../../domain/text/explain.js';

/** A run of an archive with what contradicts what in it. */
export interface ReadArchive {
  run: ArchiveRun;
  contradictions: Contradiction[];
}

const TABLE = 'results.tsv';
/** Places of a table below the folder of a run. */
const PLACES = ['.', 'blackboard'];

/**
 * Reads the runs of an archive: the folder is one, or its folders are.
 * @throws AssayError ARCHIVE_INVALID
 */
export async function readArchive(folder: string, columnsFile: string | undefined): Promise<ReadArchive[]> {
  const given = columnsFile === undefined ? null : await columnsIn(columnsFile);
  const own = await tableFolder(folder);
  const runs =
    own === null
      ? await Promise.all((await foldersIn(folder)).map((name) => tableFolder(join(folder, name))))
      : [own];
  const found = runs.filter((place) => place !== null);
  if (found.length === 0)
    throw new AssayError('ARCHIVE_INVALID', `${folder} has no ${TABLE}, and none of its folders has one`);
  return Promise.all(found.map((place) => readRun(place, given)));
}

interface TableFolder {
  name: string;
  folder: string;
  text: string;
}

async function tableFolder(run: string): Promise<TableFolder | null> {
  for (const place of PLACES) {
    const folder = join(run, place);
    const text = await textOf(join(folder, TABLE));
    if (text !== null) return { name: basename(resolve(run)), folder, text };
  }
  return null;
}

async function readRun({ name, folder, text }: TableFolder, given: Columns | null): Promise<ReadArchive> {
  const header = parseDelimited(text.slice(0, text.indexOf('\n') + 1)).rows[0]?.cells ?? [];
  const columns = given ?? (await columnsBeside(folder)) ?? knownOf(header);
  if (columns === null)
    throw new AssayError(
      'ARCHIVE_INVALID',
      `the columns of ${join(folder, TABLE)} are of no form that assay knows: ${header.join(', ')}`,
    );
  const missing = missingColumns(header, columns);
  if (missing.length > 0)
    throw new AssayError(
      'ARCHIVE_INVALID',
      `${join(folder, TABLE)} has no column ${missing.map((column) => `"${column}"`).join(', ')}`,
    );
  const run = readTable(name, text, columns);
  const [best, tree, snapshots] = await Promise.all([
    textOf(join(folder, 'best.json')),
    textOf(join(folder, 'tree.tsv')),
    foldersIn(join(folder, 'snapshots')).catch(() => null),
  ]);
  return {
    run,
    contradictions: [...contradictions(run), ...sideContradictions(run, { best, tree, snapshots })],
  };
}

function knownOf(header: readonly string[]): Columns | null {
  const known = knownColumns(header);
  return known === null ? null : columnsSchema.parse(known);
}

async function columnsBeside(folder: string): Promise<Columns | null> {
  const file = join(folder, 'columns.yaml');
  return (await textOf(file)) === null ? null : columnsIn(file);
}

async function columnsIn(file: string): Promise<Columns> {
  const text = await textOf(file);
  if (text === null) throw new AssayError('ARCHIVE_INVALID', `there is no file ${file}`);
  const { data, error } = columnsSchema.safeParse(yamlOf(file, text));
  if (data === undefined) throw new AssayError('ARCHIVE_INVALID', `${file}: ${explain(error)}`);
  return data;
}

function yamlOf(file: string, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new AssayError('ARCHIVE_INVALID', `${file} is no YAML: ${messageOf(error).split('\n')[0] ?? ''}`);
  }
}

/** Text of a file; null where there is none. */
async function textOf(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new AssayError('ARCHIVE_INVALID', `${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

async function foldersIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    throw new AssayError('ARCHIVE_INVALID', `${folder} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
