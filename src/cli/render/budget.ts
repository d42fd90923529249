import type { BudgetLine, BudgetModel, LimitsChanged } from '../../analysis/read-models/limits.js';
import type { LimitName } from '../../domain/money/budget.js';
import { NONE, plainNumber } from './numbers.js';
import { stateColour, type Paint } from './paint.js';
import { columns } from './table.js';
import { oneLine } from './text.js';

/** Names of the limits for people; the options of `assay budget` have the same names with dashes. */
const NAMES: Record<LimitName, string> = {
  trials: 'trials',
  submissions: 'submissions',
  hours: 'hours',
  hoursWithoutGain: 'hours without gain',
  dollars: 'dollars',
  acceleratorSeconds: 'accelerator seconds',
};

/** The limits of a campaign, what is used of them, and who has changed them. */
export function renderBudget(model: BudgetModel, paint: Paint): string {
  const { campaign, state, reason, limits, changes } = model;
  const lines = [
    `${paint('bold', campaign)}  ${paint(stateColour(state), state)}${reason === null ? '' : ` (${oneLine(reason)})`}`,
    '',
    columns(
      [
        { title: 'LIMIT' },
        { title: 'USED', right: true },
        { title: 'HELD', right: true },
        { title: 'ALLOWED', right: true },
        { title: 'THEN' },
      ],
      limits.map((line) => [
        NAMES[line.limit],
        amount(line.limit, line.used - (line.open ?? 0)),
        line.open === null ? '' : amount(line.limit, line.open),
        line.allowed === null ? 'no limit' : amount(line.limit, line.allowed),
        line.allowed === null ? '' : `it ${line.then}`,
      ]),
    ),
  ];
  if (changes.length > 0) lines.push('', ...changes.map(changeLine));
  return lines.join('\n');
}

function changeLine({ at, by, changed }: LimitsChanged): string {
  const what = changed.map(({ limit, from, to }) => changeText(limit, from, to));
  return `${at.slice(0, 16)}Z  ${oneLine(by ?? 'unnamed')}: ${what.length === 0 ? 'nothing changed' : what.join(', ')}`;
}

/** `trials 24 → 40`. */
export function changeText(limit: LimitName, from: number | null, to: number | null): string {
  const show = (value: number | null): string => (value === null ? 'no limit' : amount(limit, value));
  return `${NAMES[limit]} ${show(from)} → ${show(to)}`;
}

function amount(limit: BudgetLine['limit'], value: number): string {
  if (!Number.isFinite(value)) return NONE;
  return limit === 'dollars' ? `$${value.toFixed(value >= 1 || value === 0 ? 2 : 4)}` : plainNumber(value);
}
