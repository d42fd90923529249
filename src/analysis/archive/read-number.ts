/** A number of a table; `odd` where it was not written as one. */
export interface ReadNumber {
  value: number;
  odd: boolean;
}

/**
 * Reads a number as people and models write it: with a sign in words, a typographic minus or quotes around it. Returns
 * null for text that is no finite number; an empty cell is none.
 */
export function readNumber(text: string): ReadNumber | null {
  const bare = text.trim();
  const plain = finiteOf(bare);
  if (plain !== null) return { value: plain, odd: false };
  const cleaned = bare
    .replace(/^["']+|["']+$/g, '')
    .replace(/^(?:minus|negative)[_\s]*/i, '-')
    .replace(/^(?:plus|positive)[_\s]*/i, '+')
    .replace(/^[\u2212\u2013]/, '-')
    .replace(/^~/, '');
  const value = finiteOf(cleaned);
  return value === null ? null : { value, odd: true };
}

const PLAIN = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

function finiteOf(text: string): number | null {
  if (!PLAIN.test(text)) return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}
