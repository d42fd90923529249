/** Shown where a number does not exist. */
export const NONE = '–';

/** A number to so many significant digits, without an exponent where it is not tiny. */
export function number(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined) return NONE;
  const rounded = Number(value.toPrecision(digits));
  return Math.abs(rounded) >= 1e15 || (rounded !== 0 && Math.abs(rounded) < 1e-7)
    ? rounded.toExponential()
    : rounded.toLocaleString('en-US', { maximumFractionDigits: 12, maximumSignificantDigits: digits });
}

/** A score, to six digits. */
export const score = (value: number | null | undefined): string => number(value, 6);

/** A difference with its sign, to three digits. */
export function signed(value: number | null): string {
  return value !== null && value > 0 ? `+${number(value, 3)}` : number(value, 3);
}

export function percent(share: number | null, digits = 3): string {
  return share === null ? NONE : `${number(share * 100, digits)} %`;
}

export const count = (value: number): string => value.toLocaleString('en-US');

/** `1 trial`, `3 trials`. */
export const plural = (value: number, noun: string): string =>
  `${count(value)} ${noun}${value === 1 ? '' : 's'}`;

const UNITS = [
  { below: 120_000, ms: 1000, unit: 's' },
  { below: 7_200_000, ms: 60_000, unit: 'min' },
  { below: Infinity, ms: 3_600_000, unit: 'h' },
] as const;

/** A duration in the unit that suits it. */
export function duration(ms: number | null): string {
  if (ms === null) return NONE;
  const found = UNITS.find(({ below }) => Math.abs(ms) < below) ?? UNITS[2];
  return `${number(ms / found.ms, 3)} ${found.unit}`;
}

export const hours = (ms: number): string => `${number(ms / 3_600_000, 4)} h`;

/** Dollars from millionths of a dollar. */
export const dollars = (microUsd: number | null): string =>
  microUsd === null ? NONE : `$${number(microUsd / 1e6, 4)}`;

/** Text on one line, at most so many characters long. */
export function short(text: string, width = 120): string {
  const flat = text.replace(/\s+/g, ' ').trim();
  const characters = Array.from(flat);
  return characters.length <= width ? flat : `${characters.slice(0, width - 1).join('')}…`;
}
