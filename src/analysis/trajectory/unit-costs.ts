import { keptSteps } from '../noise/kept-steps.js';
import { groupBy, type Trajectory, type TrajectoryTrial } from './trajectory.js';

/** Spending and gain of the trials of one role, or of one model. */
export interface UnitCosts {
  of: string;
  trials: number;
  keeps: number;
  /** Gain of its adoptions, in the metric's unit. */
  gain: number;
  microUsd: number | null;
  acceleratorMs: number | null;
  /** Spending over gain; null where either is missing, or there is no gain. */
  microUsdPerGain: number | null;
  acceleratorMsPerGain: number | null;
}

export interface GainCosts {
  /** believed: as the decisions estimated it; measured: by the scores of the adoptions, which are selected. */
  basis: 'believed' | 'measured';
  byRole: UnitCosts[];
  /** Empty where the source does not tell the models. */
  byModel: UnitCosts[];
}

/** Money and accelerator time for a unit of gain, by role and by model. */
export function gainCosts(trajectory: Trajectory): GainCosts {
  const { trials } = trajectory;
  const believed = trials.some(({ believedGain }) => believedGain !== null);
  const measured = new Map(keptSteps(trajectory, null).map(({ number, gain }) => [number, gain]));
  const gainOf = (trial: TrajectoryTrial): number =>
    (believed ? trial.believedGain : measured.get(trial.number)) ?? 0;
  const table = (some: readonly TrajectoryTrial[], keyOf: (trial: TrajectoryTrial) => string): UnitCosts[] =>
    [...groupBy(some, keyOf)]
      .map(([of, own]) => unitCosts(of, own, gainOf))
      .sort((a, b) => b.gain - a.gain || a.of.localeCompare(b.of));
  return {
    basis: believed ? 'believed' : 'measured',
    byRole: table(trials, ({ role }) => role),
    byModel: table(
      trials.filter(({ model }) => model !== null),
      ({ model }) => model ?? '',
    ),
  };
}

function unitCosts(
  of: string,
  trials: readonly TrajectoryTrial[],
  gainOf: (trial: TrajectoryTrial) => number,
): UnitCosts {
  const gain = trials.reduce((sum, trial) => sum + gainOf(trial), 0);
  const microUsd = sumOfKnown(trials.map(({ costs }) => costs.microUsd));
  const acceleratorMs = sumOfKnown(trials.map(({ costs }) => costs.acceleratorMs));
  const per = (spent: number | null): number | null => (spent === null || gain <= 0 ? null : spent / gain);
  return {
    ...{ of, gain, microUsd, acceleratorMs },
    trials: trials.length,
    keeps: trials.filter(({ ending }) => ending === 'keep').length,
    microUsdPerGain: per(microUsd),
    acceleratorMsPerGain: per(acceleratorMs),
  };
}

function sumOfKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}
