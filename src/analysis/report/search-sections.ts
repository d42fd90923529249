import { ENDINGS } from '../trajectory/trajectory.js';
import type { Trajectory } from '../trajectory/trajectory.js';
import { table, text, type Block, type Section } from './blocks.js';
import { count, number, plural, score, short, signed } from './format.js';
import type { RunFacts } from './run-facts.js';

/** The course of the search: best so far, and the trials by how they ended. */
export function courseSection(trajectory: Trajectory, facts: RunFacts): Section {
  const { metric, trials, start } = trajectory;
  const { best, noise, outcomes } = facts;
  return {
    title: 'The search',
    blocks: [
      {
        kind: 'figure',
        caption: `Best ${metric.name} so far over the submitted trials; only valid trials count. Large points were adopted; the band is one standard deviation of a single run${noise === null ? ', which is not known here' : ''}.`,
        figure: {
          kind: 'scores',
          metric: metric.name,
          unit: metric.unit,
          minimize: metric.direction === 'minimize',
          points: [...(start === null ? [] : [start]), ...trials].flatMap((trial) =>
            trial.score === null
              ? []
              : [
                  {
                    number: trial.number,
                    score: trial.score,
                    kept: trial.ending === 'keep',
                    valid: trial.ending === 'keep' || trial.ending === 'discard',
                  },
                ],
          ),
          best: best.map(({ number: at, score: value }) => ({ number: at, score: value })),
          sd: noise?.sd ?? null,
        },
      },
      ...outcomeBlocks(facts),
      {
        kind: 'figure',
        caption: 'Trials by role and ending.',
        figure: {
          kind: 'outcomes',
          rows: outcomes.byRole.flatMap(({ role, counts }) =>
            Object.entries(counts).map(([ending, some]) => ({ role, ending, trials: some })),
          ),
        },
      },
    ],
  };
}

function outcomeBlocks({ outcomes, allocation }: RunFacts): Block[] {
  const present = ENDINGS.filter((ending) => (outcomes.counts[ending] ?? 0) > 0);
  const cells = (counts: RunFacts['outcomes']['counts']): string[] =>
    present.map((ending) => count(counts[ending] ?? 0));
  return [
    text(
      `${plural(outcomes.trials, 'trial')}: ${plural(outcomes.keeps, 'adoption')}, ${count(outcomes.validNonImprovements)} valid ones that were not adopted. Roles are as spread as ${number(allocation.effectiveRoles, 3)} equal ones (balance ${number(allocation.balance, 3)}).`,
    ),
    table(
      ['role', '>trials', ...present.map((ending) => `>${ending}`)],
      [
        ...outcomes.byRole.map(({ role, trials, counts }) => [role, count(trials), ...cells(counts)]),
        ['all', count(outcomes.trials), ...cells(outcomes.counts)],
      ],
    ),
  ];
}

const CAUSES_SHOWN = 15;

/** What broke, by cause with an example each. */
export function failureSection({ causes, outcomes }: RunFacts): Section {
  const failed = causes.reduce((sum, { trials }) => sum + trials, 0);
  if (failed === 0) return { title: 'What broke', blocks: [text('Nothing failed.')] };
  const shown = causes.slice(0, CAUSES_SHOWN);
  const rest = causes.slice(CAUSES_SHOWN);
  const left = rest.reduce((sum, { trials }) => sum + trials, 0);
  return {
    title: 'What broke',
    blocks: [
      text(
        `${plural(failed, 'trial')} failed or missed a gate or a budget: ${outcomes.byStage
          .map(({ stage, trials }) => `${count(trials)} in ${stage ?? 'a phase that is not told'}`)
          .join(', ')}.`,
      ),
      table(
        ['ending', 'cause', '>trials', 'example'],
        shown.map(({ ending, cause, trials, example }) => [
          ending,
          cause === '' ? 'not told' : short(cause, 60),
          count(trials),
          `${example.id}${example.cause === '' ? '' : `: ${short(example.cause, 160)}`}`,
        ]),
      ),
      ...(left === 0
        ? []
        : [text(`${plural(left, 'trial')} more, of ${plural(rest.length, 'rarer cause')}.`)]),
    ],
  };
}

/** The chain of adoptions, in their order. */
export function adoptionSection({ trials }: Trajectory, { steps }: RunFacts): Section {
  const hypotheses = new Map(trials.map((trial) => [trial.number, trial.hypothesis]));
  return {
    title: 'What was adopted',
    blocks:
      steps.length === 0
        ? [text('Nothing.')]
        : [
            table(
              ['trial', 'role', '>score', '>gain', 'hypothesis'],
              steps.map((step) => [
                ...[step.id, step.role, score(step.score), signed(step.gain)],
                short(hypotheses.get(step.number) ?? '', 240),
              ]),
            ),
          ],
  };
}
