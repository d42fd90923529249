import { byNumber, gainFrom, groupBy, type Trajectory } from '../trajectory/trajectory.js';
import { median, quantile } from '../noise/quantile.js';

/** Expected and measured gain of one trial over its parent, in the metric's unit; positive is better. */
export interface ExpectedGain {
  number: number;
  role: string;
  expected: number;
  measured: number;
}

/** Lists the trials that were measured, as their parents were, and whose proposers said what they expected. */
export function expectedGains(trajectory: Trajectory): ExpectedGain[] {
  const { direction } = trajectory.metric;
  const known = byNumber(trajectory);
  return trajectory.trials.flatMap(({ number, role, expectedDelta, score, parent }) => {
    const before = parent === null ? null : (known.get(parent)?.score ?? null);
    if (expectedDelta === null || score === null || before === null) return [];
    const expected = direction === 'minimize' ? -expectedDelta : expectedDelta;
    return [{ number, role, expected, measured: gainFrom(direction, before, score) }];
  });
}

/** One step of a calibration curve. */
export interface CalibrationBin {
  trials: number;
  /** Medians of the bin: a trial that diverged says nothing about the others. */
  expected: number;
  measured: number;
}

export interface RoleCalibration {
  role: string;
  trials: number;
  /** Share of the trials whose measured change has the sign that was expected. */
  sameSign: number;
  /** Medians. */
  expected: number;
  measured: number;
  curve: CalibrationBin[];
}

const BINS = 5;

/** Calibration of what was expected against what was measured: of all roles together, and of each. */
export function calibration(gains: readonly ExpectedGain[]): {
  all: RoleCalibration | null;
  roles: RoleCalibration[];
} {
  const roles = [...groupBy(gains, ({ role }) => role)].flatMap(([role, own]) => calibrated(role, own) ?? []);
  return {
    all: calibrated('all', gains),
    roles: roles.sort((a, b) => b.trials - a.trials || a.role.localeCompare(b.role)),
  };
}

function calibrated(role: string, gains: readonly ExpectedGain[]): RoleCalibration | null {
  if (gains.length === 0) return null;
  return {
    role,
    trials: gains.length,
    sameSign:
      gains.filter(({ expected, measured }) => Math.sign(expected) === Math.sign(measured)).length /
      gains.length,
    expected: median(gains.map(({ expected }) => expected)),
    measured: median(gains.map(({ measured }) => measured)),
    curve: curveOf(gains),
  };
}

/** Bins of about equal size by what was expected; equal expectations stay together. */
function curveOf(gains: readonly ExpectedGain[]): CalibrationBin[] {
  const expected = gains.map((gain) => gain.expected);
  const bounds = Array.from({ length: BINS - 1 }, (_, at) => quantile(expected, (at + 1) / BINS));
  const bins = groupBy(gains, (gain) => bounds.filter((bound) => gain.expected > bound).length);
  return [...bins]
    .sort(([a], [b]) => a - b)
    .map(([, own]) => ({
      trials: own.length,
      expected: median(own.map((gain) => gain.expected)),
      measured: median(own.map((gain) => gain.measured)),
    }));
}
