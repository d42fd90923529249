import type { Trajectory } from '../trajectory/trajectory.js';
import { table, text, type Block, type Section } from './blocks.js';
import { count, NONE, number, percent, plural, signed } from './format.js';
import { WINDOW, type RunFacts } from './run-facts.js';

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
      ...editBlocks(facts),
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

const EDITS = { structural: 'structural', constants: 'constants only', layout: 'layout only' } as const;

/** Nothing where no edit is known, as in an archive without the code of its trials. */
function editBlocks({ edits }: RunFacts): Block[] {
  if (edits.every(({ kind }) => kind === null)) return [];
  return [
    text(
      'Edits by the syntax trees before and after: structural, or constants alone, or nothing but comments, doc strings and spaces.',
    ),
    table(
      ['edit', '>trials', '>measured', '>adopted', '>share adopted'],
      edits.map(({ kind, trials, valid, counts: { keep = 0 } }) => [
        kind === null ? 'not known' : EDITS[kind],
        ...[count(trials), count(valid), count(keep), percent(keep / trials)],
      ]),
    ),
  ];
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
