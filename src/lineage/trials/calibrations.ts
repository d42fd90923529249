import type { Db } from 'mongodb';
import type { CalibrationDocument } from '../documents/calibration.js';
import { KINDS } from '../document-kinds.js';
import { TypedCollection } from '../typed-collection.js';

/** A class of hosts, and the trial that would measure the start on it. */
export type Calibrating = Pick<CalibrationDocument, 'owner' | 'hostClass' | 'trial'>;

const idOf = ({ owner, hostClass }: Omit<Calibrating, 'trial'>): string => `${owner}/${hostClass}`;

/** Which trial of a campaign measures the start on a class of hosts. A trial has one class at a time. */
export class Calibrations {
  private readonly collection;

  constructor(database: Db) {
    this.collection = new TypedCollection(database, KINDS.calibrations);
  }

  /** Enters a trial for a class, unless one is entered; returns the one that is. */
  async begin(by: Calibrating): Promise<CalibrationDocument> {
    const _id = idOf(by);
    for (;;) {
      await this.collection.insertOnce({ _id, ...by, refusals: 0 });
      // it may have been released in between
      const entered = await this.collection.get(_id);
      if (entered !== null) return entered;
    }
  }

  /** Reads the trial that is entered for a class; null while there is none. */
  async entered(of: Omit<Calibrating, 'trial'>): Promise<CalibrationDocument | null> {
    return this.collection.get(idOf(of));
  }

  /** Replaces the entered trial by another one, or begins its own anew; returns whether it did. */
  async takeOver(by: Calibrating, from: number): Promise<boolean> {
    const { trial } = by;
    const taken = await this.collection.change(
      { _id: idOf(by), trial: from },
      { $set: { trial, refusals: 0 } },
    );
    return taken !== null;
  }

  /** Takes a trial from all classes but the given one. */
  async release(owner: string, trial: number, but: string | null): Promise<void> {
    await this.collection.raw.deleteMany({ owner, trial, hostClass: { $ne: but } });
  }

  /** Counts a host of another class that was asked for a run; returns how many there were. */
  async refuse(of: Omit<Calibrating, 'trial'>): Promise<number> {
    const counted = await this.collection.change({ _id: idOf(of) }, { $inc: { refusals: 1 } });
    return counted?.refusals ?? 0;
  }
}
