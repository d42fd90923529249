import { leaseSize } from '../../domain/task/device-needs.js';
import { runBounds } from '../../domain/task/bounds.js';
import type { Task } from '../../domain/task/task.js';

/** Runs of a task that were measured in whole. */
export interface MeasuredRuns {
  /** Wall seconds of each whole run by phase; phases that a run took from another trial are left out. */
  runs: readonly Readonly<Record<string, number>>[];
  /** Runs that were begun in searches for trials, without those of the start. */
  searchRuns: number;
  /** Trials that count and have ended, without the start. */
  trials: number;
  /** Everything that was begun: runs of searches, starts and claims. */
  begun: number;
  /** Accelerator time that all of it took, in milliseconds of one slot. */
  acceleratorMs: number;
  /** Money that its models took, in millionths of a dollar. */
  microUsd: number;
}

/** A campaign that is thought of. */
export interface Plan {
  trials: number;
  /** Runs of the start before the search. */
  calibration: number;
  /** Fresh runs of the start, and as many of the frontier, at its end. */
  claimRuns: number;
  /** Leases that may be in use at the same time. */
  leases: number;
  /** Price of an accelerator or a slot for an hour, in millionths of a dollar; null if not told. */
  hourMicroUsd: number | null;
}

/** A quantity by the middle of what was measured, and from its least to its most. */
export interface Range {
  usual: number;
  least: number;
  most: number;
}

/** Time, runs and money that a campaign would take. */
export interface CampaignEstimate {
  /** `measured`: by runs; `limits`: the most that the task allows, since none was measured. */
  by: 'measured' | 'limits';
  phases: { phase: string; seconds: Range }[];
  /** Wall seconds of one run on its lease. */
  run: Range;
  /** Slots or accelerators of a lease. */
  slots: number;
  runs: { calibration: number; search: number; claim: number };
  /** Runs that a trial takes on average: fewer than one where many end before they are trained. */
  runsPerTrial: number;
  /** Wall seconds, with as many leases in use as the plan says. */
  wallS: Range;
  /** Seconds of one accelerator or slot. */
  acceleratorS: Range;
  /** For models, in millionths of a dollar; null where no model was paid for this task yet. */
  modelMicroUsd: number | null;
  /** For accelerators, in millionths of a dollar; null where their price was not told. */
  acceleratorMicroUsd: Range | null;
}

/** Estimates a campaign by the runs of its task that were measured, else by the limits that the task has. */
export function estimateOf(task: Task, measured: MeasuredRuns, plan: Plan): CampaignEstimate {
  const isMeasured = measured.runs.length > 0;
  const phases = isMeasured ? phasesOf(measured.runs) : limitsOf(task);
  const run = isMeasured ? rangeOf(measured.runs.map(totalOf)) : sumOf(phases.map(({ seconds }) => seconds));
  const runsPerTrial = measured.trials > 0 ? measured.searchRuns / measured.trials : 1;
  const runs = {
    calibration: plan.calibration,
    search: Math.ceil(runsPerTrial * plan.trials),
    claim: 2 * plan.claimRuns,
  };
  const count = runs.calibration + runs.search + runs.claim;
  const slots = leaseSize(task.resources);
  const acceleratorS = scaled(run, count * slots * overhead(measured, slots));
  return {
    ...{ by: isMeasured ? 'measured' : 'limits', phases, run, slots, runs, runsPerTrial },
    // runs of one step wait for the slowest: no fewer rounds than of whole leases
    wallS: scaled(run, count / Math.min(count, plan.leases)),
    acceleratorS,
    modelMicroUsd:
      measured.microUsd > 0 && measured.trials > 0
        ? (measured.microUsd / measured.trials) * plan.trials
        : null,
    acceleratorMicroUsd: plan.hourMicroUsd === null ? null : scaled(acceleratorS, plan.hourMicroUsd / 3600),
  };
}

/** Factor by which runs took more of their leases than whole runs do: lost ones, failed ones, what is beside them. */
function overhead({ runs, begun, acceleratorMs }: MeasuredRuns, slots: number): number {
  if (runs.length === 0 || begun === 0 || acceleratorMs === 0) return 1;
  const mean = runs.reduce((sum, run) => sum + totalOf(run), 0) / runs.length;
  return mean === 0 ? 1 : Math.max(1, acceleratorMs / 1000 / begun / slots / mean);
}

const totalOf = (run: Readonly<Record<string, number>>): number =>
  Object.values(run).reduce((sum, seconds) => sum + seconds, 0);

function phasesOf(runs: MeasuredRuns['runs']): CampaignEstimate['phases'] {
  const names = [...new Set(runs.flatMap((run) => Object.keys(run)))];
  return names.map((phase) => ({ phase, seconds: rangeOf(runs.flatMap((run) => run[phase] ?? [])) }));
}

/** The most that each phase may take. */
const limitsOf = (task: Task): CampaignEstimate['phases'] =>
  runBounds(task).map(({ phase, seconds }) => ({
    phase,
    seconds: { usual: seconds, least: 0, most: seconds },
  }));

function rangeOf(values: readonly number[]): Range {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (place: number): number => sorted[place] ?? 0;
  const middle = (sorted.length - 1) / 2;
  return {
    usual: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    least: at(0),
    most: at(sorted.length - 1),
  };
}

const sumOf = (ranges: readonly Range[]): Range => ({
  usual: ranges.reduce((sum, { usual }) => sum + usual, 0),
  least: ranges.reduce((sum, { least }) => sum + least, 0),
  most: ranges.reduce((sum, { most }) => sum + most, 0),
});

const scaled = ({ usual, least, most }: Range, by: number): Range => ({
  usual: usual * by,
  least: least * by,
  most: most * by,
});
