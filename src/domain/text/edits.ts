import { z } from 'zod';
import { collision, matchesGlob, pathFault, withoutDot } from './paths.js';
import { resultOf, searchInSlices } from './search.js';
import { FOLDER_LIMITS } from '../task/recipe.js';
import { occurrences } from './occurrences.js';

/** The text files of a workspace by their path. */
export type Tree = ReadonlyMap<string, string>;

/** The largest file that an edit may leave, in UTF-16 units. */
export const MAX_FILE = 1_000_000;
/** The most text one tool answers with, in UTF-16 units. */
export const MAX_ANSWER = 60_000;
const MAX_LINE_SHOWN = 2_000;
/** Places of an ambiguous replacement that are told. */
const MOST_PLACES = 10;
/** Lines shown on each side of an edit. */
const AROUND = 3;

const path = z.string();
export const editSchema = z.discriminatedUnion('command', [
  z.object({
    command: z.literal('view'),
    path,
    /** First and last line, counted from 1; −1 is the end of the file. */
    range: z.tuple([z.number().int(), z.number().int()]).optional(),
  }),
  z.object({ command: z.literal('create'), path, text: z.string() }),
  z.object({ command: z.literal('str_replace'), path, old: z.string(), new: z.string() }),
  /** After this many lines: 0 puts the text at the beginning. */
  z.object({ command: z.literal('insert'), path, line: z.number().int(), text: z.string() }),
  z.object({ command: z.literal('search'), pattern: z.string(), path: path.optional() }),
]);
/** One use of an editing tool. */
export type Edit = z.infer<typeof editSchema>;

/** The tree afterwards and what the tool answers, or why nothing was done, in words for the model. */
export type EditResult = { files: Tree; text: string } | { error: string };

/**
 * One use of an editing tool on a tree. Only paths that match a glob of `editable` change; everything can be read.
 * The given tree is never changed.
 */
export function applyEdit(files: Tree, edit: Edit, editable: readonly string[]): EditResult {
  return resultOf(applyInSlices(files, edit, editable));
}

/** Does as `applyEdit` does, and yields after every few milliseconds, so that others can have their turn. */
export function* applyInSlices(
  files: Tree,
  edit: Edit,
  editable: readonly string[],
): Generator<undefined, EditResult> {
  if (edit.command === 'search') return yield* search(files, edit.pattern, edit.path);
  return applyToFile(files, edit, editable);
}

function applyToFile(
  files: Tree,
  edit: Exclude<Edit, { command: 'search' }>,
  editable: readonly string[],
): EditResult {
  const where = withoutDot(edit.path);
  if (edit.command === 'view' && (where === '.' || where === '')) return list(files, '');
  const fault = pathFault(edit.command === 'view' ? where.replace(/\/$/, '') : where);
  if (fault !== null) return { error: `"${shown(edit.path)}": ${fault}.` };
  if (edit.command === 'view') return view(files, where, edit.range);
  if (!matchesGlob(where, editable)) {
    return { error: `"${where}" may not be changed; you may change: ${editable.join(', ')}.` };
  }
  if (edit.command === 'create') return create(files, where, edit.text);
  const text = files.get(where);
  if (text === undefined) return missing(files, where);
  const ended = endedAs(text);
  return edit.command === 'str_replace'
    ? replace(files, where, text, ended(edit.old), ended(edit.new))
    : insert(files, where, text, edit.line, ended(edit.text));
}

function view(files: Tree, where: string, range: readonly [number, number] | undefined): EditResult {
  const text = files.get(where);
  if (text === undefined) {
    const folder = where.endsWith('/') ? where : `${where}/`;
    return Array.from(files.keys()).some((name) => name.startsWith(folder))
      ? list(files, folder)
      : missing(files, where);
  }
  const lines = linesOf(text);
  if (lines.length === 0) return { files, text: '(the file is empty)' };
  const [from, until] = range ?? [1, -1];
  const last = until === -1 ? lines.length : Math.min(until, lines.length);
  if (from < 1 || from > lines.length || last < from) {
    return { error: `view_range [${from}, ${until}] does not fit: "${where}" has ${lines.length} lines.` };
  }
  return { files, text: numbered(lines, from, last) };
}

function list(files: Tree, folder: string): EditResult {
  const names = Array.from(files.keys())
    .filter((name) => name.startsWith(folder))
    .sort();
  const rows = names.map((name) => `${name} (${linesOf(files.get(name) ?? '').length} lines)`);
  return { files, text: bounded(rows, 'view a folder to see fewer') };
}

function create(files: Tree, where: string, text: string): EditResult {
  const fault = textFault(text) ?? collision(where, files.keys());
  if (fault !== null) return { error: `"${where}" was not written: ${fault}.` };
  if (!files.has(where) && files.size >= FOLDER_LIMITS.maxFiles)
    return { error: `The recipe may have ${FOLDER_LIMITS.maxFiles} files.` };
  const verb = files.has(where) ? 'rewrote' : 'created';
  return { files: withFile(files, where, text), text: `${verb} ${where}: ${linesOf(text).length} lines` };
}

function replace(files: Tree, where: string, text: string, old: string, fresh: string): EditResult {
  if (old === '') return { error: 'old_str is empty; use insert to add text.' };
  if (old === fresh) return { error: 'old_str and new_str are equal: nothing would change.' };
  const places = occurrences(text, old, MOST_PLACES + 1);
  const [place] = places;
  if (place === undefined) return { error: notFound(where, text, old) };
  if (places.length > 1) {
    const numbers = places.slice(0, MOST_PLACES).map((at) => lineAt(text, at));
    const more = places.length > MOST_PLACES ? ' or more' : '';
    const count = `${Math.min(places.length, MOST_PLACES)}${more}`;
    return {
      error: `old_str occurs ${count} times in "${where}", at lines ${numbers.join(', ')}. Add lines around it until it is unique.`,
    };
  }
  const after = text.slice(0, place) + fresh + text.slice(place + old.length);
  const first = lineAt(text, place);
  return changed(files, where, after, first, first + fresh.split('\n').length - 1);
}

function insert(files: Tree, where: string, text: string, line: number, fresh: string): EditResult {
  const lines = linesOf(text);
  if (line < 0 || line > lines.length) {
    return { error: `insert_line ${line} does not fit: "${where}" has ${lines.length} lines.` };
  }
  if (fresh === '') return { error: 'insert_text is empty: nothing would change.' };
  const open = text !== '' && !text.endsWith('\n') && line === lines.length;
  const end = endedAs(text)('\n');
  const before = text.slice(0, offsetAfter(text, line)) + (open ? end : '');
  const added = fresh.endsWith('\n') ? fresh : `${fresh}${end}`;
  const after = before + added + text.slice(offsetAfter(text, line));
  return changed(files, where, after, line + 1, line + linesOf(added).length);
}

function changed(files: Tree, where: string, after: string, first: number, last: number): EditResult {
  const fault = textFault(after);
  if (fault !== null) return { error: `"${where}" was not changed: ${fault}.` };
  const lines = linesOf(after);
  const from = Math.min(Math.max(1, first - AROUND), Math.max(1, lines.length));
  const excerpt = numbered(lines, from, Math.min(lines.length, last + AROUND));
  return { files: withFile(files, where, after), text: `changed ${where}:\n${excerpt}` };
}

function* search(files: Tree, pattern: string, folder: string | undefined): Generator<undefined, EditResult> {
  const where = folder === undefined ? '' : withoutDot(folder).replace(/\/$/, '');
  const inside = where === '' || where === '.';
  const fault = inside ? null : pathFault(where);
  if (fault !== null) return { error: `"${shown(where)}": ${fault}.` };
  const names = Array.from(files.keys()).filter(
    (name) => inside || name === where || name.startsWith(`${where}/`),
  );
  if (names.length === 0) return missing(files, where);
  const searched = new Map(names.sort().map((name) => [name, files.get(name) ?? '']));
  const found = yield* searchInSlices(searched, pattern);
  return 'error' in found ? found : { files, text: found.text };
}

/** The text without the line numbers that `view` put before its lines. */
export function withoutNumbers(view: string): string {
  return view
    .split('\n')
    .flatMap((line) => /^ *\d+\t([^]*)$/.exec(line)?.slice(1, 2) ?? [])
    .join('\n');
}

function numbered(lines: readonly string[], from: number, last: number): string {
  const rows = lines.slice(from - 1, last).map((line, index) => {
    const cut =
      line.length > MAX_LINE_SHOWN
        ? `${line.slice(0, MAX_LINE_SHOWN)} [line cut, ${line.length} characters]`
        : line;
    return `${String(from + index).padStart(6)}\t${cut}`;
  });
  return bounded(rows, 'use view_range to see the rest');
}

function bounded(rows: readonly string[], advice: string): string {
  let size = 0;
  const shownRows: string[] = [];
  for (const row of rows) {
    size += row.length + 1;
    if (size > MAX_ANSWER)
      return `${shownRows.join('\n')}\n[cut: ${rows.length - shownRows.length} more; ${advice}]`;
    shownRows.push(row);
  }
  return shownRows.join('\n');
}

function linesOf(text: string): string[] {
  if (text === '') return [];
  return (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
}

/** Returns the offset at which line `count` ends; the end of the text when there are fewer. */
function offsetAfter(text: string, count: number): number {
  let offset = 0;
  for (let line = 0; line < count; line++) {
    const end = text.indexOf('\n', offset);
    if (end === -1) return text.length;
    offset = end + 1;
  }
  return offset;
}

/** Gives text for a file the line ends of that file; a file that has both kinds leaves it as it is. */
function endedAs(file: string): (text: string) => string {
  const isWindows = file.includes('\r\n') && !/(?<!\r)\n/.test(file);
  return (text) => (isWindows ? text.replace(/\r$/, '').replace(/\r?\n/g, '\r\n') : text);
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

function notFound(where: string, text: string, old: string): string {
  const first = linesOf(old)
    .find((line) => line.trim() !== '')
    ?.trim();
  const near = first === undefined ? -1 : linesOf(text).findIndex((line) => line.trim() === first);
  if (text.includes('\r\n') && occurrences(text.replaceAll('\r\n', '\n'), old, 1).length > 0)
    return `old_str does not occur in "${where}": some of its lines end in CR LF, and some in LF.`;
  if (near === -1) return `old_str does not occur in "${where}". View the file and copy the lines exactly.`;
  return `old_str does not occur in "${where}", but its first line is like line ${near + 1}: compare white space and the lines after it.`;
}

function missing(files: Tree, where: string): { error: string } {
  const names = Array.from(files.keys()).sort();
  const more = names.length > 20 ? `, and ${names.length - 20} more` : '';
  return { error: `There is no "${shown(where)}". Files: ${names.slice(0, 20).join(', ')}${more}.` };
}

function textFault(text: string): string | null {
  if (text.length > MAX_FILE) return `the file would have ${text.length} characters, ${MAX_FILE} are allowed`;
  if (text.includes('\0')) return 'the text has a NUL character';
  if (/\p{Cs}/u.test(text)) return 'the text has half of a surrogate pair';
  return null;
}

/** A path from outside as an error message may repeat it. */
function shown(path: string): string {
  return path.slice(0, 80).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
}

function withFile(files: Tree, where: string, text: string): Tree {
  return new Map(files).set(where, text);
}
