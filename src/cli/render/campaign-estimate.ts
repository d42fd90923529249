import type { EstimateModel } from '../../analysis/read-models/estimate.js';
import type { Range } from '../../analysis/statistics/estimate.js';
import { referenceOf } from '../../domain/task/profiles.js';
import { duration } from './numbers.js';
import { fields } from './table.js';
import { plural } from './text.js';

/** Renders what a campaign would take, and what that rests on. */
export function renderEstimate(model: EstimateModel): string {
  const { task, plan, runs, runsPerTrial, by } = model;
  const count = runs.calibration + runs.search + runs.claim;
  const lines: [string, string][] = [
    ['task', referenceOf(task.name, task.profile)],
    ['rests on', basis(model)],
    ...model.phases.map(({ phase, seconds }): [string, string] => [phase, timesText(seconds, by)]),
    ['a run', timesText(model.run, by)],
    [
      'runs',
      `${count}: ${runs.calibration} of the start, ${runs.search} for ${plural(plan.trials, 'trial')} (${Number(runsPerTrial.toPrecision(3))} each), ${runs.claim} fresh ones for the claim`,
    ],
    ['time', `${timesText(model.wallS, by)}, on ${plural(plan.leases, 'lease')} at a time`],
    [
      'accelerators',
      `${timesText(model.acceleratorS, by)} of ${model.slots === 1 ? 'one' : `one of the ${model.slots} that a run takes`}${moneyText(model.acceleratorMicroUsd)}`,
    ],
    ['model', modelText(model)],
  ];
  const note =
    by === 'limits'
      ? `\n\nnothing of this task was measured here yet: \`assay task check\` measures its start twice, and a campaign of a few trials gives figures to estimate by`
      : '';
  return `${fields(lines)}${note}`;
}

function basis({ by, measuredRuns, from, ofAnotherVersion }: EstimateModel): string {
  if (by === 'limits') return 'the limits of the task: the most that it may take';
  const version = ofAnotherVersion ? ', of an earlier version of the task' : '';
  return `${plural(measuredRuns, 'whole run')} of ${plural(from.length, 'campaign')}${version}: ${from.slice(0, 3).join(', ')}${from.length > 3 ? ', …' : ''}`;
}

function timesText({ usual, least, most }: Range, by: EstimateModel['by']): string {
  if (by === 'limits') return `at most ${duration(most * 1000)}`;
  return `${duration(usual * 1000)} (${duration(least * 1000)} to ${duration(most * 1000)})`;
}

function moneyText(cost: Range | null): string {
  if (cost === null) return '; `--hour-price` tells what that costs';
  return `, ${dollars(cost.usual)} (${dollars(cost.least)} to ${dollars(cost.most)})`;
}

const modelText = ({ modelMicroUsd, plan }: EstimateModel): string =>
  modelMicroUsd === null
    ? 'not known: no model was paid for trials of this task in this store'
    : `${dollars(modelMicroUsd)} for ${plural(plan.trials, 'trial')}, as much for each as so far`;

const dollars = (microUsd: number): string => `$${(microUsd / 1e6).toFixed(2)}`;
