import type { OpenTrialFacts } from '../../domain/campaign/reconcile.js';
import type { TrialStatus } from '../../domain/statuses.js';
import type { ClaimDocument } from '../../lineage/documents/claim.js';
import type { DecisionDocument } from '../../lineage/documents/decision.js';
import type { CampaignDocument } from '../../lineage/documents/campaign.js';
import type { PhaseResultDocument } from '../../lineage/documents/phase-result.js';
import type { ReplicateDocument } from '../../lineage/documents/replicate.js';
import type { SessionDocument, turnDocument } from '../../lineage/documents/session.js';
import type { ContentStore } from '../../lineage/blob-store/content-store.js';
import type { StoredFile } from '../../lineage/documents/snapshot.js';
import type { TrialDocument } from '../../lineage/documents/trial.js';
import type { AnswerPlace, Malformed, Money, ReplyPlace, ReadDocuments } from '../../lineage/audit-reader.js';
import type { z } from 'zod';

/** A tree that something names by its digest; `files` is null where the store does not have it. */
export interface TreeFact {
  /** The document that names it, for people. */
  what: string;
  digest: string;
  files: readonly StoredFile[] | null;
}

/** Stored bytes whose digest was computed again. */
export interface BlobFact {
  what: string;
  digest: string;
  bytes: number;
  /** Problem with them; null where there is none. */
  wrong: string | null;
  /** True when this audit digested them for this campaign, and not for one before. */
  first: boolean;
}

/**
 * Facts that the store has about one campaign, read in such an order that a reference is read before what it refers
 * to.
 */
export interface StoreFacts {
  campaign: CampaignDocument;
  trials: ReadDocuments<TrialDocument>;
  replicates: ReadDocuments<ReplicateDocument>;
  decisions: ReadDocuments<DecisionDocument>;
  claims: ReadDocuments<ClaimDocument>;
  phases: ReadDocuments<PhaseResultDocument>;
  sessions: ReadDocuments<SessionDocument>;
  turns: ReadDocuments<z.infer<typeof turnDocument>>;
  replies: ReadDocuments<ReplyPlace>;
  answers: ReadDocuments<AnswerPlace>;
  /** The status that each trial was counted with when it ended. */
  statuses: ReadonlyMap<number, TrialStatus>;
  /** Numbers that were given, as far as the campaign remembers. */
  /** `returned`: trials that gave their place back. */
  counter: { number: number; counted: number; returned: number[] };
  money: Money;
  trees: readonly TreeFact[];
  blobs: readonly BlobFact[];
  malformedTrees: readonly Malformed[];
  /** Outputs whose bytes are on hosts that the audit does not see, or gone with them. */
  outOfReach: readonly { what: string; why: string }[];
}

/** Content that this host keeps for the store. */
export interface KeptHere {
  /** Id of the folder that it is in. */
  folder: string;
  /** Returns true for content that is here. */
  keeps: (digest: string) => Promise<boolean>;
  examine: ContentStore['examine'];
}

/** The server's account of the workflows of one campaign. */
export interface ServerSide {
  /** Facts of each trial that has no status, by number. */
  open: ReadonlyMap<number, OpenTrialFacts>;
  /** Lanes and trials that run; `trial` is null for a lane. */
  running: readonly { id: string; trial: number | null }[];
}

/** A process of a run of some worker, as this host shows it. */
export interface HostRun {
  pid: number;
  /** `PID-START` of the worker. */
  worker: string;
  /** True while that worker lives. */
  living: boolean;
  /** The rest of the run's name: `REPLICATE/FENCE/PHASE` for one of a measurement. */
  of: string;
  /** Accelerator memory that it holds; null where no accelerator could be asked. */
  acceleratorBytes: number | null;
}

/** Workers of this host and their work. */
export interface HostSide {
  name: string;
  /** Workers that have a folder here, and the folders of their work. */
  workers: readonly { name: string; living: boolean; folders: readonly string[] }[];
  runs: readonly HostRun[];
  /** Control groups of dead workers. */
  groups: readonly string[];
  /** Process ids of workers that hold a slot. */
  holders: readonly number[];
  /** Reason why the memory of accelerators was not examined; null where it was. */
  accelerators: string | null;
}

/** Facts of one campaign; a word says why a system was not asked. */
export interface CampaignFacts {
  store: StoreFacts;
  server: ServerSide | string;
  host: HostSide | string;
}

/** Something that contradicts an invariant. */
export interface Violation {
  /** `-` for what belongs to no campaign. */
  campaign: string;
  /** Subject, the same at every look. */
  about: string;
  says: string;
}

/** Result of one check. */
export interface Checked {
  /** Number of things of each kind that were examined. */
  examined: Readonly<Record<string, number>>;
  /** Things that could not be examined, with reasons. */
  notExamined: readonly { what: string; why: string }[];
  violations: readonly Violation[];
}

/** Collects what a check finds in one campaign. */
export class Finder {
  readonly violations: Violation[] = [];

  constructor(private readonly campaign: string) {}

  say(about: string, says: string): void {
    this.violations.push({ campaign: this.campaign, about, says });
  }

  /** Documents without their shape cannot be right. */
  malformed(...sheaves: readonly { malformed: readonly Malformed[] }[]): void {
    for (const { malformed } of sheaves)
      for (const { collection, id, why } of malformed)
        this.say(`${collection} ${id}`, `the document is malformed: ${why}`);
  }
}
