import type { Db } from 'mongodb';
import { CLAIM_RULE, type ClaimResult } from '../../domain/decision/claim/claim.js';
import { type ClaimDocument } from '../documents/claim.js';
import { KINDS } from '../document-kinds.js';
import { TypedCollection } from '../typed-collection.js';

/** Measurements that a claim needs. */
export type ClaimPlan = Pick<
  ClaimDocument,
  'start' | 'frontier' | 'version' | 'metric' | 'direction' | 'runs' | 'decided' | 'confidence'
>;

/** Reason why a claim is void that is no longer measured. */
export const ENDED_BEFORE = 'the campaign ended before it was measured';

/** A campaign has at most 20 milestones. */
const MOST = 100;

const claimKey = (owner: string, number: number): string => `${owner}/${number}`;

/** Claims of campaigns: what they gained, from fresh runs of the start and the frontier. */
export class Claims {
  private readonly collection;

  constructor(database: Db) {
    this.collection = new TypedCollection(database, KINDS.claims);
  }

  async find(owner: string, number: number): Promise<ClaimDocument | null> {
    return this.collection.get(claimKey(owner, number));
  }

  async get(owner: string, number: number): Promise<ClaimDocument> {
    return this.collection.require(claimKey(owner, number));
  }

  /** Lists the claims of a campaign, in order. */
  async list(owner: string): Promise<ClaimDocument[]> {
    return this.collection.list({ owner }, { sort: { number: 1 }, limit: MOST });
  }

  /** Stores once what is to be measured; an earlier plan stays. */
  async open(owner: string, number: number, plan: ClaimPlan): Promise<ClaimDocument> {
    const _id = claimKey(owner, number);
    const open = {
      replicates: [],
      sealed: null,
      result: null,
      void: null,
      openedAt: new Date(),
      closedAt: null,
    };
    await this.collection.insertOnce({ _id, owner, number, ...plan, ...open, rule: CLAIM_RULE });
    return this.collection.require(_id);
  }

  async addReplicate(owner: string, number: number, replicate: string): Promise<void> {
    await this.collection.update({ _id: claimKey(owner, number) }, { $addToSet: { replicates: replicate } });
  }

  /** Finds the claim that a replicate was measured for, if any. */
  async ofReplicate(owner: string, replicate: string): Promise<ClaimDocument | null> {
    return (await this.list(owner)).find(({ replicates }) => replicates.includes(replicate)) ?? null;
  }

  /** Stores once what was trained for the claim; from then on it may be evaluated. */
  async seal(owner: string, number: number, sealed: NonNullable<ClaimDocument['sealed']>): Promise<void> {
    await this.collection.update(
      { _id: claimKey(owner, number), sealed: null, closedAt: null },
      { $set: { sealed } },
    );
  }

  /** Stores the end of a claim, a result or the reason for none; the first one stays. */
  async close(owner: string, number: number, end: { result: ClaimResult } | { void: string }): Promise<void> {
    await this.collection.update(
      { _id: claimKey(owner, number), closedAt: null },
      { $set: { ...end, closedAt: new Date() } },
    );
  }
}
