import type { z } from 'zod';
import { blobDocument } from './documents/blob.js';
import { budgetDocument } from './documents/budget.js';
import { calibrationDocument } from './documents/calibration.js';
import { campaignDocument } from './documents/campaign.js';
import { claimDocument } from './documents/claim.js';
import { counterDocument } from './documents/counter.js';
import { decisionDocument, type DecisionDocument } from './documents/decision.js';
import { drainDocument } from './documents/drain.js';
import { hostDocument } from './documents/host.js';
import { leaderboardDocument, statusBlockDocument } from './documents/leaderboard.js';
import { ledgerDocument } from './documents/ledger.js';
import { phaseResultDocument } from './documents/phase-result.js';
import { replicateDocument } from './documents/replicate.js';
import { answerDocument, replyDocument, sessionDocument, turnDocument } from './documents/session.js';
import { snapshotDocument } from './documents/snapshot.js';
import { taskDocument, taskNameDocument } from './documents/task.js';
import { trialDocument, twinDocument } from './documents/trial.js';

/**
 * An index in addition to `_id`. Documents have all fields of a unique one: the fallback store takes missing ones as
 * equal.
 */
export interface Index {
  keys: Readonly<Record<string, 1 | -1>>;
  unique?: true;
}

/** Kind of document of one collection. */
export interface DocumentKind<T extends { _id: string }> {
  collection: string;
  /**
   * Schema version. Raised when a reader of the version before would misread a document, together with a migration
   * that rewrites the stored ones. A new field with a default needs no new version.
   */
  version: number;
  schema: z.ZodType<T>;
  /** Indexes for every query that is not by `_id`. */
  indexes: readonly Index[];
}

const kind = <T extends { _id: string }>(
  collection: string,
  schema: z.ZodType<T>,
  indexes: readonly Index[] = [],
): DocumentKind<T> => ({ collection, version: 1, schema, indexes });

/** Every kind of document of the store. */
export const KINDS = {
  campaigns: kind('campaigns', campaignDocument, [
    { keys: { owner: 1 }, unique: true },
    { keys: { createdAt: -1 } },
    { keys: { endedAt: 1, createdAt: -1 } },
    { keys: { settledAt: 1, _id: 1 } },
  ]),
  trials: kind('trials', trialDocument, [
    { keys: { submitKey: 1 }, unique: true },
    { keys: { slot: 1 }, unique: true },
    { keys: { owner: 1, status: 1 } },
    { keys: { owner: 1, parent: 1, number: -1 } },
  ]),
  twins: kind('twins', twinDocument),
  counters: kind('counters', counterDocument),
  replicates: kind('replicates', replicateDocument, [{ keys: { owner: 1, hostClass: 1 } }]),
  calibrations: kind('calibrations', calibrationDocument, [{ keys: { owner: 1, trial: 1 } }]),
  phases: kind('phases', phaseResultDocument, [{ keys: { owner: 1 } }]),
  decisions: kind<DecisionDocument>('decisions', decisionDocument, [
    { keys: { decides: 1 }, unique: true },
    { keys: { owner: 1, sequence: 1 } },
    { keys: { owner: 1, touches: 1, sequence: -1 } },
  ]),
  claims: kind('claims', claimDocument, [{ keys: { owner: 1, number: 1 } }]),
  sessions: kind('sessions', sessionDocument, [
    { keys: { owner: 1 } },
    { keys: { owner: 1, role: 1, openedAt: -1 } },
  ]),
  turns: kind('turns', turnDocument),
  replies: kind('replies', replyDocument),
  answers: kind('answers', answerDocument),
  budgets: kind('budgets', budgetDocument),
  ledger: kind('ledger', ledgerDocument, [{ keys: { owner: 1, at: 1 } }]),
  leaderboards: kind('heads', leaderboardDocument),
  statuses: kind('statuses', statusBlockDocument),
  hosts: kind('hosts', hostDocument),
  drains: kind('drains', drainDocument),
  tasks: kind('tasks', taskDocument),
  taskNames: kind('taskNames', taskNameDocument),
  blobs: kind('blobs', blobDocument),
  snapshots: kind('snapshots', snapshotDocument),
} as const;
