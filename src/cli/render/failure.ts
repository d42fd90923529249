import type { Failure } from '../../domain/trial/outcome.js';
import { plainNumber } from './numbers.js';
import type { Paint } from './paint.js';
import { clean, indent, oneLine } from './text.js';

/** A failure with its numbers and the end of its log, where a traceback stands. */
export function renderFailure({ phase, status, reason, limit, tail }: Failure, paint: Paint): string {
  const numbers =
    limit === null
      ? ''
      : `\n  ${limit.name}: used ${plainNumber(limit.used)} ${limit.unit}, allowed ${plainNumber(limit.allowed)} ${limit.unit}${crossedText(limit)}`;
  const log = tail === '' ? '' : `\n${indent(clean(tail), 4)}`;
  return `${paint('red', 'failed')} in ${phase} as ${status}: ${oneLine(reason)}${numbers}${log}`;
}

/** By how much a limit was crossed; that of a gate may be one from below. */
function crossedText({ used, allowed, unit }: NonNullable<Failure['limit']>): string {
  if (used === allowed) return '';
  return `, ${used > allowed ? 'over' : 'under'} by ${plainNumber(Math.abs(used - allowed))} ${unit}`.trimEnd();
}
