import { START } from '../domain/keys.js';
import type { ReplicateDocument } from '../lineage/documents/replicate.js';
import type { Lineage } from '../lineage/lineage.js';
import type { Calibrating } from '../lineage/trials/calibrations.js';
import { replicateKey } from '../lineage/trials/replicates.js';

type ClassOf = Omit<Calibrating, 'trial'>;

/** Measured runs of the start on a campaign's first class of hosts, and the same ones on another class. */
export interface Controls {
  first: ReplicateDocument[];
  /** Numbers of the runs. */
  indexes: number[];
  /** Runs on the other class, as far as they are begun. */
  own: ReplicateDocument[];
}

/** Finds the runs by which a class of hosts is compared with the first one. */
export async function controlsOf(lineage: Lineage, { owner, hostClass }: ClassOf): Promise<Controls> {
  const { snapshot, replicates } = await lineage.trials.require(owner, START);
  const first = (await lineage.replicates.many(replicates)).filter(({ evaluated }) => evaluated !== null);
  const indexes = first.map(({ index }) => index).sort((a, b) => a - b);
  const identity = { owner, snapshot, purpose: 'control', hostClass } as const;
  const own = await lineage.replicates.many(indexes.map((index) => replicateKey({ ...identity, index })));
  return { first, indexes, own };
}

/** Returns the end of a run that failed, or null. */
export const failureOf = ({ own }: Controls) =>
  own.map(({ trained, evaluated }) => trained?.failure ?? evaluated?.failure ?? null).find(Boolean) ?? null;

/** Returns the runs of the class that are measured. */
export const measuredOf = ({ own }: Controls): ReplicateDocument[] =>
  own.filter(({ evaluated }) => evaluated !== null);

/**
 * Enters a trial for the calibration of a class, of which one trial at a time measures the runs: two would overtake
 * each other. `elsewhere`: a trial that has not ended does it.
 */
export async function calibrationTurn(lineage: Lineage, by: Calibrating): Promise<'mine' | 'elsewhere'> {
  // who waits for another class while it has one could wait for itself
  await lineage.calibrations.release(by.owner, by.trial, by.hostClass);
  for (;;) {
    const { trial } = await lineage.calibrations.begin(by);
    if (trial !== by.trial && (await isGoing(lineage, by.owner, trial))) return 'elsewhere';
    if (await lineage.calibrations.takeOver(by, trial)) return 'mine';
  }
}

/** Returns true while another trial measures the start on a class of hosts and has not ended. */
export async function isCalibratedElsewhere(
  lineage: Lineage,
  { owner, hostClass, trial }: Calibrating,
): Promise<boolean> {
  const entered = await lineage.calibrations.entered({ owner, hostClass });
  if (entered === null || entered.trial === trial) return false;
  const controls = await controlsOf(lineage, { owner, hostClass });
  const isKnown = failureOf(controls) !== null || measuredOf(controls).length >= controls.indexes.length;
  return !isKnown && isGoing(lineage, owner, entered.trial);
}

/** Returns true when a trial has not ended and waits for no person. */
async function isGoing(lineage: Lineage, owner: string, number: number): Promise<boolean> {
  const { status, parked } = await lineage.trials.require(owner, number);
  return status === null && parked === null;
}
