import type { Db } from 'mongodb';
import { greedy } from '../domain/decision/greedy.js';
import { trialKey } from '../domain/keys.js';
import type { Task } from '../domain/task.js';
import { decisionDocument, type DecisionDocument } from './documents.js';
import { Shelf } from './shelf.js';

/** What a candidate brings to its decision. */
export interface Candidate {
  owner: string;
  trial: number;
  direction: Task['metric']['direction'];
  metric: string;
  score: number;
  replicates: readonly string[];
}

const adoptKey = (owner: string, version: number): string => `${owner}/f/${String(version).padStart(6, '0')}`;

/**
 * Decisions, and with them the frontier: it is the trial of the adoption with the highest version. Inserting
 * adoption v+1 under its unique key is the compare-and-set, so a decision and its effect are one write.
 */
export class Decisions {
  private readonly shelf;

  constructor(database: Db) {
    this.shelf = new Shelf(database.collection<{ _id: string }>('decisions'), decisionDocument);
  }

  /** The last adoption, or null before the start was measured: versions have no gaps, so it is searched for. */
  async frontier(owner: string): Promise<DecisionDocument | null> {
    let last: DecisionDocument | null = null;
    let known = 0;
    let step = 1;
    for (;;) {
      const next = await this.shelf.get(adoptKey(owner, known + step));
      if (next !== null) {
        last = next;
        known += step;
        step *= 2;
      } else if (step === 1) {
        return last;
      } else {
        step = Math.floor(step / 2);
      }
    }
  }

  /** The adoptions before and including `version`, newest first. */
  async chain(owner: string, version: number, length: number): Promise<DecisionDocument[]> {
    const keys = Array.from({ length: Math.min(length, version) }, (_, i) => adoptKey(owner, version - i));
    const found = await this.shelf.many(keys);
    return found.sort((a, b) => b.version - a.version);
  }

  async of(owner: string, trial: number): Promise<DecisionDocument | null> {
    return this.shelf.find({ decides: trialKey(owner, trial) });
  }

  /**
   * Decides a trial once. A retry finds the decision it made before; one that lost the frontier to another trial
   * decides again from what is true then.
   */
  async decide(candidate: Candidate): Promise<DecisionDocument> {
    for (;;) {
      const made = await this.of(candidate.owner, candidate.trial);
      if (made !== null) return made;
      const frontier = await this.frontier(candidate.owner);
      await this.shelf.insertOnce(decisionOn(candidate, frontier));
    }
  }
}

function decisionOn(candidate: Candidate, frontier: DecisionDocument | null): DecisionDocument {
  const { owner, trial, direction, metric, score, replicates } = candidate;
  const frontierScore = frontier?.inputs.score ?? null;
  const verdict = greedy({ direction, score, frontierScore });
  const frontierVersion = frontier?.version ?? 0;
  const version = verdict.adopt ? frontierVersion + 1 : frontierVersion;
  return {
    _id: verdict.adopt ? adoptKey(owner, version) : `${owner}/d/${trial}`,
    owner,
    decides: trialKey(owner, trial),
    trial,
    rule: 'greedy',
    adopt: verdict.adopt,
    version,
    inputs: {
      direction,
      metric,
      score,
      frontierScore,
      frontierTrial: frontier?.trial ?? null,
      frontierVersion,
      replicates: [...replicates],
    },
    delta: verdict.delta,
    at: new Date(),
  };
}
