import { ENDINGS } from '../trajectory/trajectory.js';
import type { Trajectory } from '../trajectory/trajectory.js';
import { table, text, type Block, type Section } from './blocks.js';
import {
  count,
  dollars,
  duration,
  hours,
  NONE,
  number,
  percent,
  plural,
  score,
  short,
  signed,
} from './format.js';
import { WINDOW, type RunFacts } from './run-facts.js';

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

/** Where time, accelerators and money went. */
export function spendingSection(trajectory: Trajectory, facts: RunFacts): Section {
  const { throughput, times, accelerators, costs } = facts;
  const { window, all, windows } = throughput;
  const blocks: Block[] = [];
  if (all !== null)
    blocks.push(
      text(
        `${number(all.rate)} trials an hour over ${number(all.hours)} h${window === null || window.trials === all.trials ? '' : `; ${number(window.rate)} an hour over the first ${window.trials}`}. Pauses count as time.`,
      ),
    );
  if (windows.length > 1)
    blocks.push({
      kind: 'figure',
      caption: 'Trials an hour, window by window.',
      figure: { kind: 'rates', windows: windows.map(({ from, to, rate }) => ({ from, to, rate })) },
    });
  if (times.length > 0)
    blocks.push(
      table(
        ['part of a trial', '>trials', '>median', '>together'],
        times.map(({ part, trials, medianMs, totalMs }) => [
          part,
          count(trials),
          duration(medianMs),
          hours(totalMs),
        ]),
      ),
    );
  if (accelerators !== null) blocks.push(...acceleratorBlocks(accelerators));
  blocks.push(...costBlocks(costs, trajectory.metric.name));
  return { title: 'Time and money', blocks };
}

function acceleratorBlocks({
  totalMs,
  lostMs,
  savedMs,
  trials,
  byEnding,
}: NonNullable<RunFacts['accelerators']>): Block[] {
  const saved = savedMs === 0 ? '' : ` Reuse and early stops saved ${hours(savedMs)} besides.`;
  return [
    text(
      `${hours(totalMs)} of accelerator time over ${plural(trials, 'trial')} whose time is told; ${percent(totalMs === 0 ? 0 : lostMs / totalMs)} of it on trials that failed, or missed a gate or a budget.${saved}`,
    ),
    table(
      ['ending', '>trials', '>accelerator time', '>share'],
      byEnding.map(({ ending, trials: some, ms }) => [
        ending,
        count(some),
        hours(ms),
        percent(totalMs === 0 ? 0 : ms / totalMs),
      ]),
    ),
  ];
}

function costBlocks({ basis, byRole, byModel }: RunFacts['costs'], metric: string): Block[] {
  const rows = (of: typeof byRole): string[][] =>
    of.map((one) => [
      one.of,
      count(one.trials),
      count(one.keeps),
      one.gain === 0 ? NONE : signed(one.gain),
      dollars(one.microUsd),
      one.acceleratorMs === null ? NONE : hours(one.acceleratorMs),
      one.microUsdPerGain === null ? NONE : dollars(one.microUsdPerGain),
      one.acceleratorMsPerGain === null ? NONE : hours(one.acceleratorMsPerGain),
    ]);
  const titles = (of: string): string[] => [
    ...[of, '>trials', '>adopted', `>gain in ${metric}`, '>spent', '>accelerator time'],
    ...['>spent a unit', '>time a unit'],
  ];
  const said =
    basis === 'believed'
      ? 'as the decisions believed them when they adopted'
      : 'as measured by single scores, which are selected and so too large';
  return [
    text(`Gains by who proposed them, ${said}; a unit is one of ${metric}.`),
    table(titles('role'), rows(byRole)),
    ...(byModel.length === 0 ? [] : [table(titles('model'), rows(byModel))]),
  ];
}

/** What was proposed: how different the proposals are, who built on whom, and what was expected. */
export function proposalSection(trajectory: Trajectory, facts: RunFacts): Section {
  const { proposals, architecture, tools } = facts;
  const windows = facts.outcomes.trials > WINDOW ? ([`first ${WINDOW}`, 'all'] as const) : (['all'] as const);
  const of = (name: string): keyof typeof proposals => (name === 'all' ? 'all' : 'window');
  return {
    title: 'The proposals',
    blocks: [
      text(
        'Hypotheses clustered by their words alone (unigram TF-IDF, in their order, similarity of 0.30 or more to the nearest centroid); the effective number is exp(H) of the cluster sizes. A near duplicate has a cosine of 0.9 or more to an earlier proposal.',
      ),
      table(
        ['trials', '>proposals', '>clusters', '>effective', '>largest', '>near duplicates', '>rate'],
        windows.map((name) => {
          const figures = proposals[of(name)];
          return [
            name,
            ...[count(figures.proposals), count(figures.clusters), number(figures.effective)],
            ...[count(figures.largest), count(figures.nearDuplicates), percent(figures.nearDuplicateRate)],
          ];
        }),
      ),
      ...edgeBlocks(facts, windows),
      text(
        `${plural(architecture.submissions, 'submission')} of ${count(architecture.trials)} by the role of architecture, or with that domain, whatever became of them.`,
      ),
      ...calibrationBlocks(trajectory, facts),
      ...(tools.length === 0
        ? []
        : [
            table(
              ['tool', '>calls', '>errors', '>share', 'most by'],
              tools.map(({ tool, calls, errors, share, byRole: [most] }) => [
                ...[tool, count(calls), count(errors), percent(share)],
                most === undefined ? NONE : `${most.role} (${count(most.calls)})`,
              ]),
            ),
          ]),
    ],
  };
}

function edgeBlocks({ edges }: RunFacts, windows: readonly string[]): Block[] {
  const share = (across: number, of: number): string => percent(of === 0 ? null : across / of);
  return [
    text(
      'Edges from a trial to the proposal that it was made from, within its window; those to the start are left out.',
    ),
    table(
      [
        'trials',
        '>edges',
        '>across roles',
        '>share',
        '>adoptions',
        '>their edges',
        '>across roles',
        '>share',
      ],
      windows.map((name) => {
        const { all, keeps } = name === 'all' ? edges.all : edges.window;
        return [
          ...[name, count(all.edges), count(all.across), share(all.across, all.edges)],
          ...[count(keeps.trials), count(keeps.edges), count(keeps.across), share(keeps.across, keeps.edges)],
        ];
      }),
    ),
  ];
}

function calibrationBlocks(
  { metric }: Trajectory,
  { calibration: { all, roles }, gains }: RunFacts,
): Block[] {
  if (all === null) return [];
  return [
    text(
      `Expected against measured gain over the parent, of ${plural(all.trials, 'trial')} with both: the measured change has the expected sign in ${percent(all.sameSign)}; medians ${signed(all.expected)} expected, ${signed(all.measured)} measured. Scores of trials that missed a gate count too.`,
    ),
    table(
      [
        'role',
        '>trials',
        '>expected sign',
        '>median expected',
        '>median measured',
        'median measured by fifths of what was expected',
      ],
      (roles.length === 1 ? roles : [...roles, all]).map((own) => [
        own.role,
        count(own.trials),
        percent(own.sameSign),
        signed(own.expected),
        signed(own.measured),
        own.curve.map((bin) => `${signed(bin.expected)} → ${signed(bin.measured)}`).join('; '),
      ]),
    ),
    {
      kind: 'figure',
      caption: `Expected and measured gain in ${metric.name} over the parent; on the line they agree. Outer tenths are cut off.`,
      figure: {
        kind: 'calibration',
        unit: metric.name,
        points: gains.map(({ role, expected, measured }) => ({ role, expected, measured })),
      },
    },
  ];
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
