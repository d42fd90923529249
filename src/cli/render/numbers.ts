import type { Measure } from '../../domain/task/task.js';

/** Shown where a number does not exist: a crash has no score, not a score of 0. */
export const NONE = '-';

/** A score to four decimals, or to four significant digits where it is small. */
export function score(value: number | null): string {
  if (value === null) return NONE;
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e9) return String(value);
  return size >= 0.01 && size < 1e9 ? value.toFixed(4) : value.toPrecision(4);
}

/** A difference with its sign. */
export function signed(value: number | null): string {
  if (value === null) return NONE;
  return value > 0 ? `+${score(value)}` : score(value);
}

export function withUnit(text: string, { unit }: Pick<Measure, 'unit'>): string {
  return unit === '' || text === NONE ? text : `${text} ${unit}`;
}

/** A duration with its unit: `0.4 s`, `3 min 05 s`, `2 h 05 min`, `3 d 4 h`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const pad = (value: number): string => String(value).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
  return `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`;
}

/** Bytes exactly while they are few, as gates count them, else rounded. */
export function bytes(count: number): string {
  if (count < 100_000) return `${count.toLocaleString('en-US')} bytes`;
  const [value, unit] = count < 1e9 ? [count / 1e6, 'MB'] : [count / 1e9, 'GB'];
  return `${value.toFixed(1)} ${unit}`;
}

/** Dollars from millionths of a dollar. */
export function usd(microUsd: number): string {
  return `$${(microUsd / 1e6).toFixed(4)}`;
}

export function integer(count: number): string {
  // a zero has no sign
  return (Math.round(count) + 0).toLocaleString('en-US');
}

/** A plain number, at most six significant digits. */
export function plainNumber(value: number): string {
  return Number.isInteger(value) ? integer(value) : String(Number(value.toPrecision(6)));
}
