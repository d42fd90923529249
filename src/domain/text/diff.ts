import { createTwoFilesPatch } from 'diff';

interface Named {
  path: string;
  bytes: Uint8Array;
}

const CHANGES_LIMIT = 600;
/** Lines that may differ before a whole file is shown as replaced: the work grows with the square of this number. */
const MOST_EDITS = 2000;

/** Text, or null for bytes that are not UTF-8; encoded again it is the same bytes. */
export function textOf(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** The unified diff between two trees, files in order of their paths; binary files are only named. */
export function unifiedDiff(before: readonly Named[], after: readonly Named[]): string {
  const old = new Map(before.map((file) => [file.path, file.bytes]));
  const now = new Map(after.map((file) => [file.path, file.bytes]));
  const paths = [...new Set([...old.keys(), ...now.keys()])].sort();
  return paths.map((path) => fileDiff(path, old.get(path), now.get(path))).join('');
}

function fileDiff(path: string, before: Uint8Array | undefined, after: Uint8Array | undefined): string {
  const [old, now] = [textOf(before ?? new Uint8Array()), textOf(after ?? new Uint8Array())];
  const names = [
    before === undefined ? '/dev/null' : `a/${path}`,
    after === undefined ? '/dev/null' : `b/${path}`,
  ] as const;
  if (old === null || now === null)
    return same(before, after) ? '' : `Binary files ${names[0]} and ${names[1]} differ\n`;
  if (old === now) return '';
  const bounded = { context: 3, maxEditLength: MOST_EDITS };
  const patch = createTwoFilesPatch(names[0], names[1], old, now, '', '', bounded);
  return patch?.replace(/^=+\n/, '') ?? wholeFile(names, old, now);
}

/** A patch that replaces all lines. */
function wholeFile([from, to]: readonly [string, string], old: string, now: string): string {
  const side = (sign: string, text: string): { count: number; lines: string } => {
    if (text === '') return { count: 0, lines: '' };
    const lines = text.replace(/\n$/, '').split('\n');
    const end = text.endsWith('\n') ? '' : '\\ No newline at end of file\n';
    return { count: lines.length, lines: lines.map((line) => `${sign}${line}\n`).join('') + end };
  };
  const [before, after] = [side('-', old), side('+', now)];
  const range = (count: number): string => (count === 0 ? '0,0' : `1,${count}`);
  const hunk = `@@ -${range(before.count)} +${range(after.count)} @@\n`;
  return `--- ${from}\n+++ ${to}\n${hunk}${before.lines}${after.lines}`;
}

/** Tells whether two files have the same bytes; one that is not there has others than any. */
export function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && b !== undefined && a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** The changed lines of a unified diff, "-old" and "+new", cut to a few hundred characters. */
export function changesBetween(diff: string): string {
  const lines = diff.split('\n').filter((line) => /^[-+](?!-- |\+\+ )/.test(line));
  const text = lines.join('\n');
  return text.length <= CHANGES_LIMIT
    ? text
    : `${text.slice(0, CHANGES_LIMIT)}\n… (${lines.length} changed lines in all)`;
}
