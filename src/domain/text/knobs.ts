/**
 * A numeric constant that a recipe marks as tunable, in Python (`LR: float = 0.3  # knob: 0.01..3 log`) as in languages
 * like C (`const double lr = 0.3;  // knob: 0.01..3 log`).
 */
export interface Knob {
  /** Name on the left of the assignment. */
  name: string;
  value: number;
  low: number;
  high: number;
  /** Search on a logarithmic scale. */
  log: boolean;
  /** The value and both ends are whole numbers. */
  integer: boolean;
  /** The whole source line, without its line end. */
  line: string;
  /** Place of the value in the line: its first character, and the one after its last. */
  from: number;
  to: number;
}

/** Longer lines mark nothing. */
const LONGEST_LINE = 1000;
/** Each text is read in one way only: a number of many digits must not be tried in as many splits. */
const DIGITS = String.raw`\d+(?:_\d+)*`;
const NUMBER = String.raw`[-+]?(?:${DIGITS}(?:\.(?:${DIGITS})?)?|\.${DIGITS})(?:[eE][-+]?${DIGITS})?`;
const RANGE = new RegExp(String.raw`^knob:\s*(${NUMBER})\.\.(${NUMBER})(\s+log)?\s*(?:\*\/\s*)?$`);
/** The number after `=`, with the end of a type (`0.3f`) or of a statement behind it. */
const VALUE = new RegExp(String.raw`^(\s*)(${NUMBER})(?:[fFlLuU]{0,3})\s*[;,]?$`);
const DEFINED = new RegExp(String.raw`^(\s*#\s*define\s+([A-Za-z_]\w*)\s+)(${NUMBER})[fFlLuU]{0,3}$`);
const COMMENTS = ['#', '//', '/*'];

/** Every marked knob of a source text, in order; a number too large to be one marks nothing. */
export function knobsOf(source: string): Knob[] {
  return source.split(/\r?\n/).flatMap((line) => knobOn(line) ?? []);
}

function knobOn(line: string): Knob | null {
  const mark = line.length > LONGEST_LINE ? -1 : line.lastIndexOf('knob:');
  const range = mark === -1 ? null : RANGE.exec(line.slice(mark));
  const before = line.slice(0, Math.max(0, mark)).trimEnd();
  const comment = COMMENTS.find((sign) => before.endsWith(sign));
  if (range === null || comment === undefined) return null;
  const assigned = assignedIn(before.slice(0, -comment.length).trimEnd());
  if (assigned === null) return null;
  const { name, text, from } = assigned;
  const [, low = '', high = '', log] = range;
  const numbers = [text, low, high];
  if (!numbers.every((each) => Number.isFinite(numberOf(each)))) return null;
  return {
    name,
    value: numberOf(text),
    low: numberOf(low),
    high: numberOf(high),
    log: log !== undefined,
    integer: numbers.every((each) => /^[-+]?[\d_]+$/.test(each)),
    line,
    from,
    to: from + text.length,
  };
}

const numberOf = (text: string): number => Number(text.replaceAll('_', ''));

interface Assigned {
  name: string;
  /** The number as it is written, and its place. */
  text: string;
  from: number;
}

/** The assignment of a number that ends a piece of code; null when it ends with something else. */
function assignedIn(code: string): Assigned | null {
  const defined = DEFINED.exec(code);
  if (defined !== null) {
    const [, start = '', name = '', text = ''] = defined;
    return { name, text, from: start.length };
  }
  const sign = code.lastIndexOf('=');
  const value = sign === -1 ? null : VALUE.exec(code.slice(sign + 1));
  const name = sign === -1 ? null : nameIn(code.slice(0, sign));
  if (value === null || name === null) return null;
  const [, space = '', text = ''] = value;
  return { name, text, from: sign + 1 + space.length };
}

/** The name that is assigned to, without its type: `static const double lr`, `lr: float`, `lr :`. */
function nameIn(left: string): string | null {
  const typed = /(?<!:):(?!:)/.exec(left);
  const name =
    left
      .slice(0, typed?.index)
      .trimEnd()
      .split(/[\s*&.]/)
      .at(-1) ?? '';
  return /^[A-Za-z_]\w*$/.test(name) ? name : null;
}

/** The knob's line with another value, kept within its range and, for an integer knob, whole. */
export function turned({ line, low, high, integer, from, to }: Knob, value: number): string {
  const within = (number: number): number => Math.min(high, Math.max(low, number));
  const inside = within(value);
  // rounding may lead out of the range again
  const text = String(integer ? Math.round(inside) : within(Number(inside.toPrecision(4))));
  // in a typed language 1.0 and 1e0 are of another type than 1
  const isFraction = /[.eE]/.test(line.slice(from, to)) && !/[.e]/.test(text);
  return `${line.slice(0, from)}${text}${isFraction ? '.0' : ''}${line.slice(to)}`;
}
