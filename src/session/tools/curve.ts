import { curveRows } from '../../domain/trial/curve.js';
import type { ProgressPoint } from '../../domain/task/progress.js';
import { amount } from '../../model/answers.js';
import { refused, said, type Answer, type CallContext } from './answer.js';

/** Rows of a curve. */
const ROWS = 20;

/** Progress of a training, and the seconds that it could take; null where nothing bounds them. */
interface Curve {
  points: readonly ProgressPoint[];
  seconds: number | null;
}

/** Shows the progress that trainings reported, as numbers by the share of the training, and in seconds of its budget. */
export async function curve(context: CallContext, numbers: readonly number[]): Promise<Answer> {
  const curves: Curve[] = [];
  for (const number of numbers) {
    const found = await curveOf(context, number);
    if (typeof found === 'string') return refused(context, found);
    curves.push(found);
  }
  const budgets = new Set(curves.map(({ seconds }) => seconds));
  const [seconds = null] = budgets.size === 1 ? budgets : [];
  const head = [
    'share',
    ...(seconds === null ? [] : ['seconds']),
    ...numbers.map((number) => `trial ${number}`),
  ];
  const points = curves.map((one) => one.points);
  const rows = curveRows(points, ROWS).map(({ share, values }) => [
    amount(share),
    ...(seconds === null ? [] : [amount(share * seconds)]),
    ...values.map((value) => (value === null ? '-' : amount(value))),
  ]);
  return said(context, [head, ...rows].map((cells) => cells.join('\t')).join('\n'));
}

/** The curve of the first run of a trial that has one, or why there is none. */
async function curveOf({ lineage, trials, frozen }: CallContext, number: number): Promise<Curve | string> {
  const trial = await trials.get(number);
  if (trial === null) return `There is no trial ${number}.`;
  const runs = (await lineage.replicates.many(trial.replicates)).sort((a, b) => a.index - b.index);
  const trained = runs.map((run) => run.trained).find((one) => one !== null && one.progress.length > 0);
  if (trained == null) return `Trial ${number} has reported no progress.`;
  const budget = trained.runs.findLast(({ phase }) => phase === 'train')?.budgetS ?? null;
  return { points: trained.progress, seconds: frozen.trainSeconds ?? budget };
}
