import { markedName } from '../../domain/task/marked-name.js';
import type { Measure } from '../../domain/task/task.js';
import type { TrialSummary } from '../../analysis/read-models/trial-summary.js';
import { valueText } from './estimate.js';
import { duration, score, signed } from './numbers.js';
import { onStdout, statusColour, type Paint } from './paint.js';
import { columns } from './table.js';
import { cut, oneLine } from './text.js';

const HYPOTHESIS_WIDTH = 56;

/** A table of trials; the score's column names metric and unit once; labels, what is believed and what was saved have columns where there are any. */
export function renderTrials(
  rows: readonly TrialSummary[],
  metric: Measure,
  { paint = onStdout, width = HYPOTHESIS_WIDTH }: { paint?: Paint; width?: number } = {},
): string {
  if (rows.length === 0) return 'no trials';
  const unit = metric.unit === '' ? '' : ` ${metric.unit}`;
  const labelled = rows.some(({ labels }) => labels.length > 0);
  const believes = rows.some(({ believed }) => believed !== null);
  const saves = rows.some(({ savedMs }) => savedMs > 0);
  const heads = [
    { title: 'TRIAL' },
    { title: 'ROLE' },
    { title: 'PARENT' },
    { title: 'STATUS' },
    ...(labelled ? [{ title: 'LABELS' }] : []),
    { title: `${markedName(metric)}${unit}`, right: true },
    ...(believes ? [{ title: 'BELIEVED', right: true }] : []),
    { title: 'DELTA', right: true },
    { title: 'TIME', right: true },
    ...(saves ? [{ title: 'SAVED', right: true }] : []),
    { title: 'HYPOTHESIS' },
  ];
  return columns(
    heads,
    rows.map((row) => [
      row.trial,
      row.role,
      row.parent ?? '',
      paint(statusColour(row.status), row.status ?? row.stage),
      ...(labelled ? [row.labels.join(', ')] : []),
      score(row.score),
      ...(believes
        ? [row.believed === null ? '' : valueText({ mean: row.believed.mean, error: row.believed.sd })]
        : []),
      deltaText(row.delta, metric, paint),
      duration(row.elapsedMs),
      ...(saves ? [row.savedMs > 0 ? duration(row.savedMs) : ''] : []),
      cut(oneLine(row.hypothesis), width),
    ]),
  );
}

/** A difference in the colour of its direction: green is better. */
export function deltaText(delta: number | null, { direction }: Measure, paint: Paint): string {
  const text = signed(delta);
  if (delta === null || delta === 0) return text;
  const better = direction === 'minimize' ? delta < 0 : delta > 0;
  return better ? paint('green', text) : text;
}
