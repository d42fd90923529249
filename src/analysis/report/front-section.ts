import type { Trajectory } from '../trajectory/trajectory.js';
import { list, type Section } from './blocks.js';
import { count, dollars, hours, number, percent, plural, score, signed } from './format.js';
import { verdictCounts } from './noise-sections.js';
import type { RunFacts } from './run-facts.js';

/** Facts of the first page that only a campaign or an archive itself can tell. */
export interface FrontFacts {
  /** Claim with its interval, or the reason why nothing is claimed. */
  claimed: string;
  /** What a person has to do; empty where nothing waits. */
  person: string[];
}

/** The first page: what is claimed, adopted, spent and broken, and what needs a person. */
export function frontSection(trajectory: Trajectory, facts: RunFacts, front: FrontFacts): Section {
  return {
    title: 'In short',
    blocks: [
      list([
        `Claimed: ${front.claimed}`,
        `Adopted: ${adoptedText(trajectory, facts)}`,
        `Spent: ${spentText(trajectory, facts)}`,
        `Broke: ${brokeText(facts)}`,
        `Needs a person: ${front.person.length === 0 ? 'nothing' : front.person.join('; ')}`,
      ]),
    ],
  };
}

function adoptedText({ metric }: Trajectory, facts: RunFacts): string {
  const { improvement, steps, plateau } = facts;
  if (improvement === null || steps.length === 0) return 'nothing';
  const { start, best, gain, relative } = improvement;
  const { clear, unknown } = verdictCounts(facts);
  const noise =
    unknown === steps.length
      ? 'the noise of a run is not known, so nothing is known of single ones'
      : `${clear} of them ${clear === 1 ? 'clears' : 'clear'} the noise`;
  const level =
    plateau?.ids.includes(best.id) === true
      ? `; ${plateau.ids.length} trials that ${plateau.metric} cannot tell from it average ${number(plateau.mean)}`
      : '';
  return `${plural(steps.length, 'trial')}; ${metric.name} from ${score(start)} to ${score(best.score)} (${best.id}), ${signed(gain)}${relative === null ? '' : `, ${percent(relative, 5)}`}, selected as the best of what was measured${level}; ${noise}`;
}

function spentText({ trials }: Trajectory, { throughput: { all }, accelerators }: RunFacts): string {
  const money = trials.flatMap(({ costs }) => costs.microUsd ?? []);
  const parts = [
    plural(trials.length, 'trial'),
    ...(all === null ? [] : [`${hours(all.hours * 3_600_000)} of time`]),
    ...(accelerators === null ? [] : [`${hours(accelerators.totalMs)} of accelerators`]),
    ...(money.length === 0 ? [] : [dollars(money.reduce((sum, value) => sum + value, 0))]),
  ];
  return parts.join(', ');
}

function brokeText({ causes, accelerators }: RunFacts): string {
  const failed = causes.reduce((sum, { trials }) => sum + trials, 0);
  if (failed === 0) return 'nothing';
  const byEnding = new Map<string, number>();
  for (const { ending, trials } of causes) byEnding.set(ending, (byEnding.get(ending) ?? 0) + trials);
  const parts = [...byEnding].sort((a, b) => b[1] - a[1]).map(([ending, some]) => `${count(some)} ${ending}`);
  const lost =
    accelerators === null || accelerators.totalMs === 0
      ? ''
      : `, on ${percent(accelerators.lostMs / accelerators.totalMs)} of the accelerator time`;
  return `${plural(failed, 'trial')} (${parts.join(', ')})${lost}`;
}
