// Plain JavaScript: the thread that compares trees runs it without a compiler.
import { FILE_HEADERS_ONLY, formatPatch, structuredPatch } from 'diff';

/**
 * A file of a tree; null for contents that are too large to be compared.
 * @typedef {{ path: string, bytes: Uint8Array | null }} Named
 */

const CHANGES_LIMIT = 600;
/** Lines that may differ before a whole file is shown as replaced. */
const MOST_EDITS = 2000;
/** Steps that the comparison of two trees may take, about a second of one core; what is left of them gives whole files. */
const MOST_STEPS = 100_000_000;
/** Steps that extending one of the possible ways through two files by one line takes, beside comparing lines. */
const WAY_STEPS = 10;
/** Characters that are compared in one step. */
const STEP_CHARACTERS = 100;

/**
 * Text, or null for bytes that are not UTF-8; encoded again it is the same bytes.
 * @param {Uint8Array} bytes
 * @returns {string | null}
 */
export function textOf(bytes) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/**
 * The unified diff between two trees, files in order of their paths; binary files, and those without contents, are only
 * named. A file that differs in too many lines is shown as replaced as a whole, so that the work is bounded whatever
 * the trees hold.
 * @param {readonly Named[]} before
 * @param {readonly Named[]} after
 * @returns {string}
 */
export function unifiedDiff(before, after) {
  const old = new Map(before.map(({ path, bytes }) => [path, bytes]));
  const now = new Map(after.map(({ path, bytes }) => [path, bytes]));
  const paths = [...new Set([...old.keys(), ...now.keys()])].sort();
  let steps = MOST_STEPS;
  const parts = paths.map((path) => {
    const found = fileDiff(path, old.get(path), now.get(path), steps);
    steps -= found.steps;
    return found.text;
  });
  return parts.join('');
}

/**
 * @param {string} path
 * @param {Uint8Array | null | undefined} before
 * @param {Uint8Array | null | undefined} after
 * @param {number} most steps that it may take
 * @returns {{ text: string, steps: number }}
 */
function fileDiff(path, before, after, most) {
  /** @type {Names} */
  const names = [
    before === undefined ? '/dev/null' : `a/${path}`,
    after === undefined ? '/dev/null' : `b/${path}`,
  ];
  const free = (/** @type {string} */ text) => ({ text, steps: 0 });
  if (before === null || after === null)
    return free(`Files ${names[0]} and ${names[1]} differ and are too large to be compared\n`);
  if (same(before, after)) return free('');
  const [old, now] = [textOf(before ?? new Uint8Array()), textOf(after ?? new Uint8Array())];
  if (old === null || now === null) return free(`Binary files ${names[0]} and ${names[1]} differ\n`);
  if (old === now) return free('');
  // nothing of an empty file can be kept
  if (old === '' || now === '') return free(wholeFile(names, old, now));
  const weight = (old.length + now.length) / STEP_CHARACTERS + lineCount(old) + lineCount(now);
  const edits = Math.min(MOST_EDITS, editsWithin(most, weight));
  const bounded = { context: 3, maxEditLength: edits };
  const patch = edits < 1 ? undefined : structuredPatch(...names, old, now, '', '', bounded);
  if (patch === undefined) return { text: wholeFile(names, old, now), steps: stepsOf(edits, weight) };
  const changed = patch.hunks.flatMap(({ lines }) => lines.filter((line) => /^[-+]/.test(line))).length;
  return { text: formatPatch(patch, FILE_HEADERS_ONLY), steps: stepsOf(changed, weight) };
}

/**
 * Steps that a comparison takes at most that ends after so many edits: it follows as many ways, each of which may
 * compare all lines once.
 * @param {number} edits
 * @param {number} weight steps of comparing all lines of both files
 */
const stepsOf = (edits, weight) => edits * (WAY_STEPS * edits + weight);

/**
 * The most edits that a comparison may come to within so many steps.
 * @param {number} steps
 * @param {number} weight
 */
const editsWithin = (steps, weight) =>
  Math.floor((Math.sqrt(weight ** 2 + 4 * WAY_STEPS * Math.max(0, steps)) - weight) / (2 * WAY_STEPS));

/** @param {string} text */
function lineCount(text) {
  let count = 1;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}

/** @typedef {[from: string, to: string]} Names */

/**
 * A patch that replaces all lines.
 * @param {Names} names
 * @param {string} old
 * @param {string} now
 */
function wholeFile([oldFileName, newFileName], old, now) {
  const [before, after] = [side('-', old), side('+', now)];
  const hunk = {
    oldStart: 1,
    oldLines: before.count,
    newStart: 1,
    newLines: after.count,
    lines: [...before.lines, ...after.lines],
  };
  const headers = { oldFileName, newFileName, oldHeader: undefined, newHeader: undefined };
  return formatPatch({ ...headers, hunks: [hunk] }, FILE_HEADERS_ONLY);
}

/**
 * @param {string} sign
 * @param {string} text
 * @returns {{ count: number, lines: string[] }}
 */
function side(sign, text) {
  if (text === '') return { count: 0, lines: [] };
  const ended = text.endsWith('\n');
  const lines = (ended ? text.slice(0, -1) : text).split('\n').map((line) => `${sign}${line}`);
  return { count: lines.length, lines: ended ? lines : [...lines, '\\ No newline at end of file'] };
}

/**
 * Tells whether two files have the same bytes; one that is not there has others than any.
 * @param {Uint8Array | undefined} a
 * @param {Uint8Array | undefined} b
 */
export function same(a, b) {
  return a !== undefined && b !== undefined && Buffer.compare(a, b) === 0;
}

/**
 * Changed lines of a unified diff, "-old" and "+new", without the names of files.
 * @param {string} diff
 * @returns {string[]}
 */
export const changedLines = (diff) => diff.split('\n').filter((line) => /^[-+](?!-- |\+\+ )/.test(line));

/**
 * The changed lines of a unified diff, "-old" and "+new", cut to a few hundred characters.
 * @param {string} diff
 */
export function changesBetween(diff) {
  const lines = changedLines(diff);
  let room = CHANGES_LIMIT;
  const shown = lines.findIndex((line) => (room -= line.length + 1) < 0);
  if (shown === -1) return lines.join('\n');
  return [...lines.slice(0, shown), `… (${lines.length} changed lines in all)`].join('\n');
}
