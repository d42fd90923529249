import type { Amounts } from '../../lineage/documents/budget.js';

export const UNITS = ['microUsd', 'acceleratorMs', 'tokens'] as const satisfies (keyof Amounts)[];

export const sameAmounts = (a: Amounts, b: Amounts): boolean => UNITS.every((unit) => a[unit] === b[unit]);

/** One unit of many amounts, added up. */
export const sumOf = (amounts: readonly Amounts[], unit: keyof Amounts): number =>
  amounts.reduce((sum, each) => sum + each[unit], 0);
