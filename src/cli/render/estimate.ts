import type { Comparison } from '../../domain/decision/claim/comparison.js';
import type { Estimate } from '../../domain/decision/claim/estimate.js';
import type { Measure } from '../../domain/task/task.js';
import { score, signed, withUnit } from './numbers.js';
import { plural } from './text.js';

/** Describes what is known of a true score beside the measured mean; empty where that is all. */
export function besideScore(estimate: Estimate | null, unit: Pick<Measure, 'unit'> = { unit: '' }): string {
  if (estimate === null || (estimate.from === 'runs' && estimate.error === null)) return '';
  const { from, runs } = estimate;
  const value = withUnit(valueText(estimate), unit);
  if (from === 'belief') return `believed ${value}`;
  return `${value} by ${plural(runs ?? 0, from === 'fresh' ? 'fresh run' : 'run')}${from === 'fresh' ? ' of its claim' : ''}`;
}

/** `0.9323 ± 0.0006`. */
export function valueText({ mean, error }: { mean: number; error: number | null }): string {
  return error === null ? score(mean) : `${score(mean)} ± ${String(Number(error.toPrecision(2)))}`;
}

/** The lines on a trial and its start that were measured equally often. */
export function comparisonLines(
  { runs, start, trial, paired, difference, standardError, interval, confidence, side }: Comparison,
  metric: Measure,
): [string, string][] {
  const arm = ({ mean, sd }: Comparison['start']): string => `${score(mean)} (sd ${sd.toPrecision(2)})`;
  const off =
    standardError === null ? '' : ` ± ${String(Number(standardError.toPrecision(2)))} (standard error)`;
  const percent = Number((confidence * 100).toPrecision(6));
  const told =
    interval === null
      ? paired
        ? ', the same in every pair of runs'
        : ', no interval: runs under different seeds are equal'
      : `, ${percent} % interval ${signed(interval[0])} to ${signed(interval[1])}: ${side ?? 'no clear difference'}`;
  const pairs = paired ? ', in pairs that share a training' : '';
  return [
    [
      'compared',
      `${runs} runs each, fixed in advance${pairs}: ${arm(trial)} against ${withUnit(arm(start), metric)} of the start`,
    ],
    ['difference', `${withUnit(`${signed(difference)}${off}`, metric)}${told}`],
  ];
}
