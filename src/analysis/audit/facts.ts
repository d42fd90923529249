import type { OpenTrialFacts } from '../../domain/campaign/reconcile.js';
import type { TrialStatus } from '../../domain/statuses.js';
import type { ClaimDocument, DecisionDocument } from '../../lineage/documents/decision-documents.js';
import type {
  CampaignDocument,
  PhaseResultDocument,
  ReplicateDocument,
  SessionDocument,
  StoredFile,
  TrialDocument,
  turnDocument,
} from '../../lineage/documents/documents.js';
import type { AnswerPlace, Malformed, Money, ReplyPlace, ReadDocuments } from '../../lineage/audit-reader.js';
import type { z } from 'zod';

/** A tree that something names by its digest; `files` is null where the store does not have it. */
export interface TreeFact {
  /** Who names it, for people. */
  what: string;
  digest: string;
  files: readonly StoredFile[] | null;
}

/** Stored bytes whose digest was computed again. */
export interface BlobFact {
  what: string;
  digest: string;
  bytes: number;
  /** What is wrong with them; null where nothing is. */
  wrong: string | null;
  /** Whether this audit has digested them for this campaign, and not for one before. */
  first: boolean;
}

/** What the store has of one campaign. Read in an order in which what refers to something is read before that. */
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
  counter: { number: number; counted: number };
  money: Money;
  trees: readonly TreeFact[];
  blobs: readonly BlobFact[];
  malformedTrees: readonly Malformed[];
}

/** What the server says of the workflows of one campaign. */
export interface ServerSide {
  /** Of each trial that has no status, by number. */
  open: ReadonlyMap<number, OpenTrialFacts>;
  /** Lanes and trials that run; `trial` is null for a lane. */
  running: readonly { id: string; trial: number | null }[];
}

/** A process of a run of some worker, as this host shows it. */
export interface HostRun {
  pid: number;
  /** `PID-START` of the worker. */
  worker: string;
  /** Whether that worker lives. */
  living: boolean;
  /** The rest of the run's name: `REPLICATE/FENCE/PHASE` for one of a measurement. */
  of: string;
  /** Accelerator memory that it holds; null where no accelerator could be asked. */
  acceleratorBytes: number | null;
}

/** What this host has of workers and their work. */
export interface HostSide {
  name: string;
  /** Workers that have a folder here, and the folders of their work. */
  workers: readonly { name: string; living: boolean; folders: readonly string[] }[];
  runs: readonly HostRun[];
  /** Control groups of dead workers. */
  groups: readonly string[];
  /** Process ids of workers that hold a slot. */
  holders: readonly number[];
  /** Why the memory of accelerators was not looked at; null where it was. */
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
  /** What it is about, the same at every look. */
  about: string;
  says: string;
}

/** What one check came to. */
export interface Checked {
  /** How many things of each kind were looked at. */
  examined: Readonly<Record<string, number>>;
  /** What could not be looked at, and why. */
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
