import { same, textOf } from '../text/diff.js';

interface Named {
  path: string;
  bytes: Uint8Array;
}

/** Longer lines are no source text. */
const MOST_CHARACTERS = 10_000;
const TOKEN =
  /(?<word>[\p{L}_][\p{L}\p{N}_]*)|(?<number>(?:\d|\.\d)(?:[eE][-+]?\d|[\p{L}\p{N}_.])*)|(?<other>\S)/gu;

/** Functions that draw, or make what draws, from the number that they are given. */
const GENERATORS = new Set([
  'default_rng',
  'RandomState',
  'Random',
  'PRNGKey',
  'MT19937',
  'PCG64',
  'PCG64DXSM',
  'Philox',
  'SFC64',
  'mt19937',
  'mt19937_64',
  'minstd_rand',
  'srand',
  'srand48',
  'srandom',
]);
const namesSeed = (word: string): boolean => /seed/i.test(word);

/**
 * Tells whether two trees differ in nothing but seeds: the same lines once numbers are left out, and each number that
 * differs is one that a seed is set to, as in `SEED = 3`, `manual_seed(3)`, `Net(width=64, seed=3)` and
 * `rng = default_rng(3)`. A recipe of other luck is no better recipe.
 */
export function isSeedOnly(before: readonly Named[], after: readonly Named[]): boolean {
  const old = new Map(before.map(({ path, bytes }) => [path, bytes]));
  if (old.size !== after.length) return false;
  let changed = false;
  for (const { path, bytes } of after) {
    const was = old.get(path);
    if (was === undefined) return false;
    if (same(was, bytes)) continue;
    if (!differsInSeeds(textOf(was), textOf(bytes))) return false;
    changed = true;
  }
  return changed;
}

function differsInSeeds(before: string | null, after: string | null): boolean {
  const [old, now] = [before?.split('\n') ?? [], after?.split('\n') ?? []];
  if (before === null || after === null || old.length !== now.length) return false;
  return old.every((line, i) => line === now[i] || isOtherSeed(line, now[i] ?? ''));
}

interface Token {
  kind: 'word' | 'number' | 'other';
  text: string;
}

function isOtherSeed(before: string, after: string): boolean {
  if (Math.max(before.length, after.length) > MOST_CHARACTERS) return false;
  const [old, now] = [tokensOf(before), tokensOf(after)];
  if (old.length !== now.length || indentOf(before) !== indentOf(after)) return false;
  const setsSeed = targetsOf(now).some(namesSeed);
  let nearest = '';
  let changed = false;
  for (const [i, { kind, text }] of now.entries()) {
    const was = old[i];
    if (was?.kind !== kind) return false;
    if (kind === 'word') nearest = text;
    if (was.text === text) continue;
    if (kind !== 'number') return false;
    if (!setsSeed && !namesSeed(nearest) && !GENERATORS.has(nearest)) return false;
    changed = true;
  }
  return changed;
}

const indentOf = (line: string): string | undefined => /^\s*/.exec(line)?.[0];

/** Words, numbers with their signs, and every other character by itself. */
function tokensOf(line: string): Token[] {
  const tokens: Token[] = [];
  for (const { groups } of line.matchAll(TOKEN)) {
    const { word, number, other = '' } = groups ?? {};
    if (word !== undefined) tokens.push({ kind: 'word', text: word });
    else if (number === undefined) tokens.push({ kind: 'other', text: other });
    else tokens.push({ kind: 'number', text: `${signBefore(tokens)}${number}` });
  }
  return tokens;
}

/** Takes the sign of a number that comes next off the tokens; a minus between two operands is no sign. */
function signBefore(tokens: Token[]): string {
  const [operand, last] = [tokens.at(-2), tokens.at(-1)];
  const isOperand = operand !== undefined && (operand.kind !== 'other' || /[)\]}]/.test(operand.text));
  if (last === undefined || isOperand || !/^[-+]$/.test(last.text)) return '';
  tokens.pop();
  return last.text;
}

/** The words that a line assigns to as a whole, none where the first `=` is that of an argument. */
function targetsOf(tokens: readonly Token[]): string[] {
  const end = tokens.findIndex(({ text }) => /^[=([{]$/.test(text));
  const [at, after] = [tokens[end], tokens[end + 1]];
  if (at?.text !== '=' || after?.text === '=') return [];
  return tokens.slice(0, end).flatMap(({ kind, text }) => (kind === 'word' ? [text] : []));
}
