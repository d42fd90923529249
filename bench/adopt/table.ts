import type { Estimate, RuleSummary, ScenarioSummary } from './comparison.js';
import { SUBJECT, type VerdictLine } from './verdict.js';

/** Writes a scenario's rows; gains are in 1e-4 of the metric, ± is one standard error. */
export function scenarioText({ scenario, repetitions, rules }: ScenarioSummary): string {
  const head = ['', 'true gain', 'own', 'own − true', `${SUBJECT} − it`, 'adopted', 'not better', 'CPU s'];
  return [`## ${scenario.name}, ${repetitions} repetitions`, row(head), ...rules.map(ruleRow)].join('\n');
}

function ruleRow({ rule, gain, own, off, behind, adopted, notBetter, cpuSeconds }: RuleSummary): string {
  return row([
    rule,
    (1e4 * gain.mean).toFixed(2),
    (1e4 * own.mean).toFixed(2),
    withError(off),
    behind === null || rule === SUBJECT ? '–' : withError(behind),
    adopted.toFixed(1),
    notBetter.toFixed(1),
    cpuSeconds.toFixed(2),
  ]);
}

const WIDTHS = [12, 10, 8, 15, 18, 8, 11, 6];
const row = (cells: readonly string[]): string =>
  cells
    .map((cell, i) => (i === 0 ? cell.padEnd(WIDTHS[i] ?? 0) : cell.padStart(WIDTHS[i] ?? 0)))
    .join(' ')
    .trimEnd();

const withError = ({ mean, standardError }: Estimate): string =>
  `${(1e4 * mean).toFixed(2)} ± ${(1e4 * standardError).toFixed(2)}`;

/** Says of each line whether it is kept, and names every miss. */
export function verdictText(lines: readonly VerdictLine[]): string {
  return lines
    .flatMap(({ line, compared, missed }) => [
      `${missed.length === 0 ? 'kept' : 'MISSED'} (${compared - missed.length} of ${compared}): ${line}`,
      ...missed.map((miss) => `  ${miss}`),
    ])
    .join('\n');
}
