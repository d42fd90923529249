import type { AuditModel, InvariantLine } from '../../analysis/audit/audit.js';
import { bytes, integer } from './numbers.js';
import type { Paint } from './paint.js';
import { oneLine } from './text.js';

const SHOWN = 20;

/** Each invariant with what was looked at, what was not and why, and everything that contradicts it. */
export function renderAudit({ invariants }: Pick<AuditModel, 'invariants'>, paint: Paint): string {
  return invariants.map((each) => lines(each, paint).join('\n')).join('\n');
}

function lines({ number, says, examined, notExamined, violations }: InvariantLine, paint: Paint): string[] {
  const verdict = violations.length === 0 ? paint('green', 'holds') : paint('red', 'VIOLATED');
  return [
    `${number}  ${verdict}  ${says}`,
    `   examined: ${examinedText(examined)}`,
    ...notExamined.map(({ what, why }) => paint('dim', `   not examined: ${what}: ${oneLine(why)}`)),
    ...violations
      .slice(0, SHOWN)
      .map(({ campaign, about, says: found }) =>
        paint('red', `   ${campaign === '-' ? '' : `${campaign}  `}${oneLine(about)}: ${oneLine(found)}`),
      ),
    ...(violations.length > SHOWN ? [`   and ${violations.length - SHOWN} more; --json has them all`] : []),
  ];
}

function examinedText(examined: Readonly<Record<string, number>>): string {
  const counts = Object.entries(examined);
  if (counts.length === 0) return 'nothing';
  return counts
    .map(([what, count]) => (what === 'bytes' ? bytes(count) : `${integer(count)} ${what}`))
    .join(', ');
}
