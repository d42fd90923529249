import { DETERMINISTIC, isBetter, type Task } from '../task/task.js';
import { labelText, type Label } from '../trial/labels.js';
import type { Rule } from './records/record.js';

/** A normal belief about a true score, in the metric's unit. */
export interface Believed {
  mean: number;
  sd: number;
}

/** Run-to-run noise, and the runs from which it is known; null where those are not kept apart. */
export interface Spread {
  sd: number;
  runs: number | null;
  trials: number | null;
  /** The trial with which the family of recipes began that these runs are of. */
  since: number | null;
}

/** What a sentence about a decision is made of; scores in the metric's unit. */
export interface LessonFacts {
  rule: Rule;
  direction: Task['metric']['direction'];
  adopt: boolean;
  /** What the trial was held against; null for the start of the search. */
  frontier: {
    trial: number;
    /** Mean of what was measured of it, in so many runs. */
    score: number;
    runs: number;
    /** Whether it meets every gate. */
    eligible: boolean;
    /** As it was before this decision; null where nothing is believed. */
    believed: Believed | null;
  } | null;
  parent: number | null;
  /** One for each run. */
  scores: readonly number[];
  mean: number;
  /** mean − the frontier's score. */
  delta: number | null;
  /** Expected gain in true score over the frontier, ≥ 0 is better; null under rules without belief. */
  gain: number | null;
  believedOwn: Believed | null;
  /** null where the noise is not known. */
  spread: Spread | null;
  /** Whether the first run shares the training of the parent's, so that what the edit did is known without noise. */
  paired: boolean;
  /** The guard that forbade the adoption, in words. */
  veto: string | null;
  /** Why it may not be adopted whatever it scores. */
  barred: 'seed-only' | null;
  /** Whether its runs under different seeds are equal to rounding where the start's were not. */
  alike: boolean;
  /** Whether the task declares that a run repeats exactly. */
  deterministic: boolean;
}

type Against = NonNullable<LessonFacts['frontier']>;

/**
 * Says in one line what was measured of a trial, then what is believed of it, then what was decided. "Better", "worse"
 * and "equal" are said of what was measured; of what is believed only as "expected to be …".
 */
export function lessonOf(facts: LessonFacts, unit: string): string {
  const { frontier } = facts;
  if (frontier === null) return startText(facts, unit);
  const parts = [measuredText(facts, frontier, unit), ...believedText(facts, frontier), ...noiseText(facts)];
  return `${parts.join('; ')}: ${verdictText(facts, frontier)}`;
}

/** Says the same of a trial that has labels, with those that the sentence does not say already. */
export function labelledLesson(facts: LessonFacts, labels: readonly Label[], unit: string): string {
  const untold = labels.filter((label) => (label === 'seed-fixed' ? !facts.alike : facts.barred === null));
  return [lessonOf(facts, unit), ...untold.map(labelText)].join('; ');
}

/** Says why nothing is known of the noise by which a rule weighs. */
export function noiseUnknownText(rule: Rule, runs: number, score: number | null): string {
  return `the ${runs} runs of the start under different seeds all scored ${score ?? ''}, so nothing is known of the noise by which the rule "${rule}" weighs trials: either no recipe depends on the seed (then declare ${DETERMINISTIC} in task.yaml and start another campaign), or training has to draw by ASSAY_SEED`;
}

function startText(facts: LessonFacts, unit: string): string {
  const measured = `the start of the search: measured ${withUnit(facts.mean, unit)} in ${runsText(facts)}`;
  return [measured, ...noiseText(facts)].join('; ');
}

/** Says what was measured, against what was measured of the frontier. */
function measuredText(facts: LessonFacts, frontier: Against, unit: string): string {
  const { mean, direction, scores, spread, deterministic } = facts;
  const word = comparedText(direction, mean, frontier.score);
  const other = `trial ${frontier.trial}`;
  const by = mean === frontier.score ? '' : ` by ${difference(mean - frontier.score)}`;
  const single = scores.length === 1 && spread === null && !deterministic;
  const than = mean === frontier.score ? 'to' : 'than';
  if (single)
    return `${word} in a single run ${than} ${other}${by}: ${withUnit(mean, unit)} against ${amount(frontier.score)}`;
  return `measured ${withUnit(mean, unit)} in ${runsText(facts)}, ${word} ${than} ${other}${by} (${amount(frontier.score)} in ${plural(frontier.runs, 'run')})`;
}

function comparedText(direction: LessonFacts['direction'], score: number, other: number): string {
  if (score === other) return 'equal';
  return isBetter(direction, score, other) ? 'better' : 'worse';
}

function runsText({ scores, alike, deterministic }: LessonFacts): string {
  const runs = plural(scores.length, 'run');
  if (deterministic) return `${runs} (deterministic)`;
  return alike && scores.length > 1 ? `${runs} that count as one (seed-fixed)` : runs;
}

function believedText({ gain, believedOwn, paired }: LessonFacts, frontier: Against): string[] {
  if (gain === null) return [];
  const { trial, believed } = frontier;
  const word =
    gain === 0
      ? 'expected to be no different'
      : `expected to be ${gain > 0 ? 'better' : 'worse'} by ${difference(gain)}`;
  const why = paired ? ', known without noise by the training that it shares with its parent' : '';
  if (believedOwn === null) return [`${word}${why}`];
  const other = believed === null ? '' : ` against ${believedAmount(believed)} of trial ${trial}`;
  return [`believed ${believedAmount(believedOwn)}${other}, ${word}${why}`];
}

function noiseText({ spread, deterministic, scores }: LessonFacts): string[] {
  if (deterministic) return [];
  if (spread === null) return scores.length === 1 ? ['noise not known'] : [];
  return [`runs differ by about ${difference(spread.sd)}${sourceText(spread)}`];
}

/** Says from how many runs of which family a noise is known. */
function sourceText({ runs, trials, since }: Spread): string {
  if (runs === null) return '';
  const of = trials === null ? '' : ` of ${plural(trials, 'trial')}`;
  const family = since === null ? '' : ` of the family of trial ${since}`;
  return ` (from ${plural(runs, 'run')}${of}${family})`;
}

function verdictText(facts: LessonFacts, frontier: Against): string {
  const { adopt } = facts;
  if (!adopt) return `not adopted${whyNot(facts, frontier)}`;
  if (!frontier.eligible) return `adopted, since trial ${frontier.trial} misses a gate and this meets them`;
  return 'adopted, nothing is claimed';
}

/** Gives the reason where what stands before it does not. */
function whyNot(facts: LessonFacts, frontier: Against): string {
  const { veto, barred, gain, mean, direction, parent, rule } = facts;
  if (veto !== null) return `, ${veto}`;
  if (barred !== null) return ', it changes nothing but a seed (seed-only)';
  const better = isBetter(direction, mean, frontier.score);
  if (rule === 'threshold' && better) return ', that is not enough for this rule beside the noise';
  if (gain === null || gain <= 0) return '';
  if (!better && parent !== frontier.trial)
    return `, it does not build on trial ${frontier.trial} and has not measured ahead of it`;
  return ', too little beside the noise';
}

/** A number as people and agents read it: six significant digits, whole numbers whole. */
const amount = (value: number): string =>
  String(Number.isInteger(value) ? value : Number(value.toPrecision(6)));

const withUnit = (value: number, unit: string): string => `${amount(value)} ${unit}`.trimEnd();

/** The size of a difference, to three significant digits. */
const difference = (value: number): string => String(Number(Math.abs(value).toPrecision(3)));

const believedAmount = ({ mean, sd }: Believed): string =>
  `${amount(mean)} ± ${String(Number(sd.toPrecision(2)))}`;

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
