import { knobsOf } from '../text/knobs.js';
import { matchesGlob } from '../text/paths.js';
import { countedFiles } from './counted.js';
import { DETERMINISTIC, decisionMetric, TIME_RATIO, type Task } from './task.js';

/** A recipe file, its content as text. */
export interface RecipeText {
  path: string;
  text: string;
}

/** Finds what a valid task probably does not mean, in words, from its folder alone. */
export function folderWarnings({ recipe }: Pick<Task, 'recipe'>, files: readonly RecipeText[]): string[] {
  const unmatched = (field: 'editable' | 'counted'): string[] =>
    (field === 'counted' ? countedFiles(recipe) : recipe[field]).flatMap((glob) =>
      files.some(({ path }) => matchesGlob(path, [glob]))
        ? []
        : [`recipe.${field}: ${JSON.stringify(glob)} matches no file of ${recipe.root}/`],
    );
  return [...unmatched('editable'), ...unmatched('counted'), ...knobWarnings(recipe, files)];
}

function knobWarnings({ editable, knobs }: Task['recipe'], files: readonly RecipeText[]): string[] {
  const marked = files
    .filter(({ path }) => matchesGlob(path, editable))
    .flatMap(({ path, text }) => knobsOf(text).map((knob) => ({ ...knob, path })));
  if (marked.length === 0)
    return knobs === 'marked'
      ? [
          'recipe.knobs: no line that may be edited is marked as a knob, so that the offline proposer has nothing to turn',
        ]
      : [];
  const places = new Map<string, number>();
  for (const { name } of marked) places.set(name, (places.get(name) ?? 0) + 1);
  const shared = [...places].filter(([, count]) => count > 1).map(([name]) => name);
  const empty = marked.filter(({ low, high, log }) => low >= high || (log && low <= 0));
  return [
    ...(knobs === 'none'
      ? [
          'recipe.knobs: "none", though lines are marked as knobs; the offline proposer turns them all the same',
        ]
      : []),
    ...shared.map((name) => `the knob ${name} is marked in several places, and is never turned`),
    ...empty.map(
      ({ name, path }) => `the range of the knob ${name} in ${path} is empty, so it is never turned`,
    ),
  ];
}

/** A finished measurement of the start under one seed. */
export interface MeasuredStart {
  seed: number;
  artifact: string | null;
  trainS: number | null;
  evaluateS: number | null;
  metrics: Readonly<Record<string, number>>;
  notes: readonly string[];
  /** Words that its last process said. */
  said?: readonly string[];
}

/** Part of a limit in time from which on a busy host may overrun it. */
const CLOSE = 0.7;

/** Finds what two measurements of one recipe under two seeds say against its task, in words. */
export function measuredWarnings(task: Task, [one, other]: readonly MeasuredStart[]): string[] {
  if (one === undefined || other === undefined) return [];
  const close = (what: string, took: number | null, limit: number): string[] =>
    took !== null && took > CLOSE * limit
      ? [`${what} took ${took.toFixed(1)} s of the ${limit} s it may take: a busy host may need more`]
      : [];
  const slowest = (a: number | null, b: number | null): number | null =>
    a === null || b === null ? null : Math.max(a, b);
  return [
    ...seedWarnings(task, one, other),
    ...(task.data?.reveal !== undefined && one.said?.includes('trained') === false
      ? [
          'training did not say "trained" on the descriptor of ASSAY_SIGNAL_FD, so that it was never shown data.reveal',
        ]
      : []),
    ...close('training', slowest(one.trainS, other.trainS), task.phases.train.timeout_s),
    ...close('the evaluation', slowest(one.evaluateS, other.evaluateS), task.evaluate.timeout_s),
    ...one.notes,
  ];
}

function seedWarnings(task: Task, one: MeasuredStart, other: MeasuredStart): string[] {
  const metric = decisionMetric(task);
  // such a task may leave the same under every seed: what differs is how long it takes
  if (metric === TIME_RATIO) return [];
  const [a, b] = [one.metrics[metric], other.metrics[metric]];
  const seeds = `seeds ${one.seed} and ${other.seed}`;
  if (task.replicate.deterministic)
    return a === b
      ? []
      : [
          `the task declares ${DETERMINISTIC}, and its start scored ${a ?? '-'} and ${b ?? '-'} under the ${seeds}`,
        ];
  if (one.artifact === other.artifact)
    return [
      `its seed is fixed: the start left the very same artifact under the ${seeds}. Let training draw by ASSAY_SEED, or declare ${DETERMINISTIC}`,
    ];
  return a === b
    ? [`the start scored the same under the ${seeds}, so that nothing is known of its noise`]
    : [];
}

/** Estimates the noise from run to run from two of them; as rough as two runs are. */
export const noiseOfTwo = (one: number, other: number): number => Math.abs(one - other) / Math.SQRT2;
