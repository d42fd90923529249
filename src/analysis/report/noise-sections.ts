import type { Trajectory } from '../trajectory/trajectory.js';
import { list, table, text, type Block, type Section } from './blocks.js';
import { count, number, plural, score, signed } from './format.js';
import type { RunFacts } from './run-facts.js';

/** What a search's gains are worth: adoptions beside noise and selection. */
export function noiseSection({ metric }: Trajectory, facts: RunFacts): Section {
  return {
    title: 'What the gains are worth',
    blocks: [
      text(noiseText(facts)),
      ...stepBlocks(facts),
      ...selectionBlocks(facts),
      ...plateauBlocks(facts, metric.name),
      ...remeasuredBlocks(facts),
    ],
  };
}

function noiseText({ noise }: RunFacts): string {
  if (noise === null)
    return 'Nothing was measured twice, no quieter metric tells equal trials, and there are too few siblings: the noise of a run is not known, so no adoption can be held against it.';
  const sd = `One run has a standard deviation of ${number(noise.sd, 3)}`;
  const degrees = `${plural(noise.degrees, 'degree')} of freedom`;
  switch (noise.by) {
    case 'repeated':
      return `${sd}, measured on recipes that were run more than once (${degrees}).`;
    case 'plateau':
      return `${sd}, estimated from trials that a quieter metric cannot tell apart (${degrees}).`;
    case 'siblings':
      return `${sd} at most, roughly: estimated from the nearest half of the trials that were made from one parent, which differ by their edits too (${degrees}). Nothing was measured twice.`;
  }
}

/** Adoptions that each verdict was given to. */
export function verdictCounts({
  steps,
}: RunFacts): Record<'clear' | 'selection' | 'noise' | 'unknown', number> {
  const of = (verdict: string): number => steps.filter((step) => step.verdict === verdict).length;
  return { clear: of('clear'), selection: of('selection'), noise: of('noise'), unknown: of('unknown') };
}

const WORDS = {
  clear: 'clears the noise',
  selection: 'no more than the best of so many equal draws',
  noise: 'within the noise',
  unknown: 'noise not known',
} as const;

const PARTS = {
  clear: 'clear of the noise',
  selection: 'above two standard errors, but no more than selection among as many equal draws gives',
  noise: 'within the noise',
  unknown: 'with a noise that is not known',
} as const;

function stepBlocks(facts: RunFacts): Block[] {
  const { steps } = facts;
  if (steps.length === 0) return [text('Nothing was adopted.')];
  const counts = verdictCounts(facts);
  const parts = (['clear', 'selection', 'noise', 'unknown'] as const).flatMap((verdict) =>
    counts[verdict] === 0 ? [] : [`${count(counts[verdict])} ${PARTS[verdict]}`],
  );
  const summary = `Of ${plural(steps.length, 'adoption')}: ${parts.join('; ')}. To clear the noise, a gain over the best before it has to be at least two standard errors of the difference, and more than the best of as many equal draws reaches with 95 % probability.`;
  return [
    text(summary),
    table(
      [
        'trial',
        'role',
        '>score',
        '>gain',
        '>runs',
        '>std. errors',
        '>draws',
        '>best of equal draws',
        'verdict',
      ],
      steps.map((step) => [
        step.id,
        step.role,
        score(step.score),
        signed(step.gain),
        `${step.runsBefore}/${step.runs}`,
        number(step.z, 2),
        count(step.draws),
        step.byDrawsAlone === null ? number(null) : signed(step.byDrawsAlone),
        WORDS[step.verdict],
      ]),
    ),
  ];
}

function selectionBlocks({ selection, noise }: RunFacts): Block[] {
  if (selection === null || noise === null) return [];
  const { draws, gain, expected, bound } = selection;
  const verdict =
    gain > bound
      ? 'The gain as a whole is more than selection among equal recipes explains, even where single steps are not.'
      : 'Selection among equal recipes explains the whole gain.';
  return [
    text(
      `The best valid trial is ${signed(gain)} from the start. The best of ${plural(draws, 'draw')} that are all equal to the start would show ${signed(expected)} on average, and less than ${signed(bound)} with 95 % probability. ${verdict}`,
    ),
  ];
}

function plateauBlocks({ plateau, steps }: RunFacts, metric: string): Block[] {
  if (plateau === null) return [];
  const { ids, outliers, mean, sd, best, expectedBest, sds, expectedSds, value, tolerance } = plateau;
  const members = new Set(ids);
  const on = steps.filter(({ id }) => members.has(id));
  const shrinks = on.map(
    (step) => `${step.id}: ${score(step.score)}, ${signed(step.score - mean)} from the mean`,
  );
  return [
    text(
      `A plateau: ${plural(ids.length, 'trial')} of equal ${plateau.metric} (less than ${number(tolerance, 2)} from ${number(value)}) differ in ${metric} all the same: mean ${number(mean)}, standard deviation ${number(sd, 2)}, best ${number(best.score)} (${best.id}). The best lies ${number(sds, 2)} standard deviations from the mean; the best of ${ids.length} equal draws lies ${number(expectedSds, 2)} from it, at ${number(expectedBest)}. So the best of them is what selection brings, and ${number(mean)} is what the plateau is worth.${outliers.length === 0 ? '' : ` Left out as no draw of the same: ${outliers.join(', ')}.`}`,
    ),
    ...(on.length === 0
      ? []
      : [
          text('Adoptions on the plateau, which would come back towards its mean when measured again:'),
          list(shrinks),
        ]),
    {
      kind: 'figure',
      caption: `${metric} of the trials on the plateau; the line is their mean, the dashed line the mean of the best of as many equal draws.`,
      figure: {
        kind: 'plateau',
        metric,
        scores: plateau.scores,
        ...{ mean, expectedBest, best: best.score },
      },
    },
  ];
}

function remeasuredBlocks({ remeasured }: RunFacts): Block[] {
  if (remeasured === null) return [];
  return [
    text(
      `${plural(remeasured.trials, 'adopted trial')} had more than one run. Their first run was better than the mean of the later ones by ${signed(remeasured.shrinkage)} on average: that is how much a gain of single runs shrinks here.`,
    ),
    table(
      ['trial', '>first run', '>mean of the later', '>runs'],
      remeasured.steps.map(({ id, first, others, runs }) => [id, score(first), score(others), count(runs)]),
    ),
  ];
}
