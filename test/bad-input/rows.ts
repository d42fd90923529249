import { expect } from 'vitest';
import { BAD_INPUTS } from './table/error-table.js';
import { ERRORS } from '../../src/domain/errors.js';
import type { Failure } from '../../src/domain/trial/outcome.js';

/** A row of the table of bad inputs in docs/errors.md. */
export type RowName = keyof typeof BAD_INPUTS;

const PLACES =
  /(…|\bWORDS OF THE PROVIDER\b|\b(?:NAME|FILE|FOLDER|PATH|OTHER|FIELD|WORD|STATE|DATE|ADDRESS)\b|\bN\b)/;

/** Turns a row's message into a pattern for the printed one. */
export function wordsOf(row: RowName): RegExp {
  const parts = BAD_INPUTS[row].reads.split(PLACES).map((part, index) => {
    if (index % 2 === 0) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    if (part === '…') return '[^]*';
    return part === 'N' ? '-?\\d[\\d.]*(?:e[+-]?\\d+)?' : '.*?';
  });
  return new RegExp(`^${parts.join('')}$`);
}

export interface Said {
  code: string;
  message: string;
  remedy: string;
}

/** Fails unless the error has the row's code and words. */
export function expectError(row: RowName, { code, message }: Pick<Said, 'code' | 'message'>): void {
  const codes = BAD_INPUTS[row].gets.flatMap((got) =>
    typeof got === 'object' && 'error' in got ? [got.error] : [],
  );
  expect(codes, `${row}: ${message}`).toContain(code);
  expect(message, row).toMatch(wordsOf(row));
}

/** Fails unless a trial ended with the row's status and reason. */
export function expectFailure(row: RowName, failure: Failure | null): void {
  const statuses = BAD_INPUTS[row].gets.flatMap((got) =>
    typeof got === 'object' && 'trial' in got ? [got.trial] : [],
  );
  expect(failure, row).not.toBeNull();
  expect(statuses, `${row}: ${failure?.reason}`).toContain(failure?.status);
  expect(failure?.reason, row).toMatch(wordsOf(row));
}

/** The exit code that the registry gives a code. */
export function exitOf(code: string): number {
  const found = Object.entries(ERRORS).find(([name]) => name === code);
  if (found === undefined) throw new Error(`the registry has no ${code}`);
  return found[1].exit;
}
