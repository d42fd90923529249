import { noiseOfTwo } from '../../domain/task/task-warnings.js';
import { decisionMetric, type Task } from '../../domain/task/task.js';
import type { CheckedTask } from '../../measure/check-task.js';
import type { StartRun } from '../../measure/try-start.js';
import { bytes, plainNumber } from './numbers.js';
import type { Paint } from './paint.js';
import { columns, fields } from './table.js';
import { gateText } from './trial.js';
import { oneLine, plural, taskText } from './text.js';

/** Renders what a check of a task has found. */
export function renderTaskCheck(task: Task, checked: CheckedTask, paint: Paint): string {
  const { digest, files, tier, python, preparedS, preflightS, runs, warnings } = checked;
  const lines: [string, string][] = [
    ['task', `${taskText({ ...task, digest })}, ${plural(files, 'file')}`],
    ['isolation', `tier ${tier}`],
    ['python', python],
    ['prepared', `in ${preparedS.toFixed(1)} s`],
    ['preflight', `in ${preflightS.toFixed(1)} s`],
    ...processLine(task, runs),
    ...noiseLine(task, runs),
    ...voidLine(runs),
  ];
  return [
    fields(lines),
    ...(runs.length === 0 ? [] : ['', runTable(runs)]),
    ...(runs[0] === undefined || runs[0].margins.length === 0 ? [] : ['', gates(runs[0])]),
    ...warnings.map(
      (warning, at) => `${at === 0 ? '\n' : ''}${paint('yellow', 'warning')}: ${oneLine(warning)}`,
    ),
  ].join('\n');
}

/** Lines on the processes that a check has seen and their signals; none for a task without either. */
function processLine(task: Task, [one]: readonly StartRun[]): [string, string][] {
  const { processes } = task.replicate;
  const signals = [
    ...(task.phases.train.clock?.from === 'ready' ? ['ready'] : []),
    ...(task.data?.reveal === undefined ? [] : ['trained']),
  ];
  if (one === undefined || (processes === 1 && signals.length === 0)) return [];
  const ran = one.processes.length;
  const missing = signals.filter((word) => !one.said.includes(word));
  const told =
    signals.length === 0
      ? []
      : [missing.length === 0 ? `said ${signals.join(' and ')}` : `did not say ${missing.join(' or ')}`];
  return [['processes', [`${ran} of ${processes} tried in each run`, ...told].join(', ')]];
}

function voidLine(runs: readonly StartRun[]): [string, string][] {
  const voided = runs.flatMap((run) => run.voided);
  const [first] = voided;
  return first === undefined ? [] : [['void pairs', `${voided.length}, measured again: ${oneLine(first)}`]];
}

function noiseLine(task: Task, [one, other]: readonly StartRun[]): [string, string][] {
  const metric = decisionMetric(task);
  const [a, b] = [one?.metrics[metric], other?.metrics[metric]];
  if (a === undefined || b === undefined || other?.failure !== null) return [];
  const sd = noiseOfTwo(a, b);
  if (sd === 0) return [['noise', `none seen: ${metric} was the same twice`]];
  return [
    ['noise', `about ${Number(sd.toPrecision(2))} in ${metric} from run to run, as far as two runs tell`],
  ];
}

function runTable(runs: readonly StartRun[]): string {
  const names = [...new Set(runs.flatMap(({ metrics }) => Object.keys(metrics)))].filter(
    (name) => !['bytes', 'train_s'].includes(name),
  );
  const warms = runs.some(({ prewarmS }) => prewarmS !== null);
  const seconds = (value: number | null): string => (value === null ? '' : `${value.toFixed(2)} s`);
  return columns(
    [
      { title: 'SEED' },
      ...(warms ? [{ title: 'PREWARM', right: true }] : []),
      { title: 'TRAIN', right: true },
      { title: 'PACK', right: true },
      { title: 'EVALUATE', right: true },
      { title: 'SIZE', right: true },
      ...names.map((name) => ({ title: name, right: true })),
    ],
    runs.map(({ seed, prewarmS, trainS, packS, evaluateS, metrics }) => [
      String(seed),
      ...(warms ? [seconds(prewarmS)] : []),
      seconds(trainS),
      seconds(packS),
      seconds(evaluateS),
      metrics['bytes'] === undefined ? '' : bytes(metrics['bytes']),
      ...names.map((name) => (metrics[name] === undefined ? '' : plainNumber(metrics[name]))),
    ]),
  );
}

const gates = ({ margins }: StartRun): string =>
  margins.map((margin) => `gate ${margin.gate}: ${gateText(margin)}`).join('\n');
