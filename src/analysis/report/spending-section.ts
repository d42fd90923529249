import type { Trajectory } from '../trajectory/trajectory.js';
import { table, text, type Block, type Section } from './blocks.js';
import { count, dollars, duration, hours, NONE, number, percent, plural, signed } from './format.js';
import type { RunFacts } from './run-facts.js';

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
