import type { Db } from 'mongodb';
import { CLAIM_RULE, type ClaimResult } from '../../domain/decision/claim/claim.js';
import { type ClaimDocument } from '../documents/claim.js';
import { KINDS } from '../document-kinds.js';
import { TypedCollection } from '../typed-collection.js';

/** What is to be measured for a claim. */
export type ClaimPlan = Pick<
  ClaimDocument,
  'start' | 'frontier' | 'version' | 'metric' | 'direction' | 'runs' | 'decided' | 'confidence'
>;

/** Why a claim is void that nobody measures any more. */
export const ENDED_BEFORE = 'the campaign ended before it was measured';

/** A campaign has at most 20 milestones. */
const MOST = 100;

const claimKey = (owner: string, number: number): string => `${owner}/${number}`;

/** What a campaign says that it has gained, from fresh runs of its start and its frontier. */
export class Claims {
  private readonly shelf;

  constructor(database: Db) {
    this.shelf = new TypedCollection(database, KINDS.claims);
  }

  async find(owner: string, number: number): Promise<ClaimDocument | null> {
    return this.shelf.get(claimKey(owner, number));
  }

  async get(owner: string, number: number): Promise<ClaimDocument> {
    return this.shelf.require(claimKey(owner, number));
  }

  /** All of a campaign, in their order. */
  async list(owner: string): Promise<ClaimDocument[]> {
    return this.shelf.list({ owner }, { sort: { number: 1 }, limit: MOST });
  }

  /** Says once what is to be measured; what was said before stays. */
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
    await this.shelf.insertOnce({ _id, owner, number, ...plan, ...open, rule: CLAIM_RULE });
    return this.shelf.require(_id);
  }

  async addReplicate(owner: string, number: number, replicate: string): Promise<void> {
    await this.shelf.update({ _id: claimKey(owner, number) }, { $addToSet: { replicates: replicate } });
  }

  /** The claim that a replicate was measured for, if any. */
  async ofReplicate(owner: string, replicate: string): Promise<ClaimDocument | null> {
    return (await this.list(owner)).find(({ replicates }) => replicates.includes(replicate)) ?? null;
  }

  /** Says once what was trained for it, from when on that may be evaluated. */
  async seal(owner: string, number: number, sealed: NonNullable<ClaimDocument['sealed']>): Promise<void> {
    await this.shelf.update(
      { _id: claimKey(owner, number), sealed: null, closedAt: null },
      { $set: { sealed } },
    );
  }

  /** The first end stays: a result, or why there is none. */
  async close(owner: string, number: number, end: { result: ClaimResult } | { void: string }): Promise<void> {
    await this.shelf.update(
      { _id: claimKey(owner, number), closedAt: null },
      { $set: { ...end, closedAt: new Date() } },
    );
  }
}
