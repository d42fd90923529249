/** One bound on a version: an operator, and the numbers that it compares with. */
interface Bound {
  operator: (typeof OPERATORS)[number];
  numbers: readonly number[];
  /** True for `==3.12.*`: only the numbers that are named count. */
  prefix: boolean;
}

/** The longer first: `>=` is not `>`. */
const OPERATORS = ['>=', '<=', '==', '!=', '~=', '>', '<'] as const;

/** Reads a range of Python versions such as `>=3.12,<3.14`; null where it is none. */
function boundsOf(range: string): Bound[] | null {
  const bounds = range.split(',').map((part) => boundOf(part.trim()));
  return bounds.every((bound) => bound !== null) ? bounds : null;
}

function boundOf(text: string): Bound | null {
  const operator = OPERATORS.find((each) => text.startsWith(each));
  if (operator === undefined) return null;
  const [, version, star] = /^\s*(\d+(?:\.\d+){0,2})(\.\*)?$/.exec(text.slice(operator.length)) ?? [];
  if (version === undefined) return null;
  const prefix = star !== undefined;
  const numbers = version.split('.').map(Number);
  if (prefix && operator !== '==' && operator !== '!=') return null;
  if (operator === '~=' && numbers.length < 2) return null;
  return { operator, numbers, prefix };
}

/** Returns true for a range of versions that {@link isInRange} understands: a part of the version specifiers of pip. */
export const isPythonRange = (range: string): boolean => boundsOf(range) !== null;

/** Returns true when a version, as in `3.12.1`, keeps every bound of a range. */
export function isInRange(version: string, range: string): boolean {
  const numbers = version.split('.').map(Number);
  return boundsOf(range)?.every((bound) => keeps(numbers, bound)) ?? false;
}

function keeps(version: readonly number[], { operator, numbers, prefix }: Bound): boolean {
  const order = compare(version, numbers, prefix ? numbers.length : 3);
  switch (operator) {
    case '>=':
      return order >= 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '<':
      return order < 0;
    case '==':
      return order === 0;
    case '!=':
      return order !== 0;
    case '~=':
      return order >= 0 && compare(version, numbers, numbers.length - 1) === 0;
  }
}

/** Compares the first numbers of two versions; what is not named is 0. */
function compare(one: readonly number[], other: readonly number[], count: number): number {
  for (let at = 0; at < count; at += 1) {
    const difference = (one[at] ?? 0) - (other[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
