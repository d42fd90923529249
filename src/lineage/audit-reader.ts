import type { Db, Filter } from 'mongodb';
import type { z } from 'zod';
import { KINDS, type DocumentKind } from './document-kinds.js';
import { tooNew } from './written.js';
import { explain } from '../domain/text/explain.js';
import { type TrialStatus } from '../domain/statuses.js';
import { type BudgetDocument } from './documents/budget.js';
import type { CounterDocument } from './documents/counter.js';
import { type LedgerDocument } from './documents/ledger.js';
import { answerDocument, replyDocument } from './documents/session.js';
import type { snapshotDocument } from './documents/snapshot.js';
import { trialDocument } from './documents/trial.js';

/** A document that does not match its schema. */
export interface Malformed {
  collection: string;
  id: string;
  why: string;
}

/** All documents of one kind in a campaign, with the malformed ones apart. */
export interface ReadDocuments<T> {
  documents: T[];
  malformed: Malformed[];
}

const trialPlace = trialDocument.pick({ number: true, session: true, turn: true, status: true });
/** A trial reduced to the turn that submitted it and its result. */
export type TrialPlace = z.infer<typeof trialPlace>;

/** Reply and answer without their content: only what they belong to. */
const replyPlace = replyDocument.omit({ reply: true, asked: true, usage: true });
const replyUsage = replyDocument.pick({ session: true, usage: true });
/** A reply reduced to what it used. */
export type ReplyUsage = z.infer<typeof replyUsage>;
const answerPlace = answerDocument.omit({ text: true });
export type ReplyPlace = z.infer<typeof replyPlace>;
export type AnswerPlace = z.infer<typeof answerPlace>;

/** The budget's document before and after the ledger was read. */
export interface Money {
  before: BudgetDocument | null;
  rows: ReadDocuments<LedgerDocument>;
  after: BudgetDocument | null;
  /** True if nothing was spent during the read, so that all three are from one moment. */
  still: boolean;
}

const TRIES_AT_MONEY = 8;

/** A kind of document, or a part of it. */
interface ReadKind<T> extends Pick<DocumentKind<never>, 'collection' | 'version'> {
  schema: z.ZodType<T>;
}

interface Row {
  _id: string;
}

/** Reads whole collections of one campaign for the audit; everything else reads by key. */
export class AuditReader {
  constructor(private readonly database: Db) {}

  trials = (owner: string) => this.read(KINDS.trials, { owner });
  /** Trials without their proposals and measurements. */
  places = (owner: string) =>
    this.read({ ...KINDS.trials, schema: trialPlace }, { owner }, [
      'hypothesis',
      'changes',
      'outcome',
      'replicates',
      'preflight',
    ]);
  replicates = (owner: string) => this.read(KINDS.replicates, { owner });
  decisions = (owner: string) => this.read(KINDS.decisions, { owner });
  claims = (owner: string) => this.read(KINDS.claims, { owner });
  phases = (owner: string) => this.read(KINDS.phases, { owner });
  sessions = (owner: string) => this.read(KINDS.sessions, { owner });
  turns = (owner: string) => this.read(KINDS.turns, below(owner));
  replies = (owner: string) => this.read({ ...KINDS.replies, schema: replyPlace }, below(owner), ['reply']);
  usages = (owner: string) => this.read({ ...KINDS.replies, schema: replyUsage }, below(owner), ['reply']);
  answers = (owner: string) => this.read({ ...KINDS.answers, schema: answerPlace }, below(owner), ['text']);
  ledger = (owner: string) => this.read(KINDS.ledger, { owner });
  tasks = (digest: string) => this.read(KINDS.tasks, { _id: digest });

  /** Stored trees of these digests; missing ones are left out. */
  async snapshots(digests: readonly string[]): Promise<ReadDocuments<z.infer<typeof snapshotDocument>>> {
    return this.read(KINDS.snapshots, { _id: { $in: [...digests] } });
  }

  /** Reads the trial numbers that the campaign has recorded, which may lag behind the trials. */
  async counter(owner: string): Promise<Omit<CounterDocument, '_id'>> {
    const found = await this.database.collection<Row>(KINDS.counters.collection).findOne({ _id: owner });
    // only a hint, which can be derived from the trials again
    return KINDS.counters.schema.safeParse(found).data ?? { number: 0, counted: 0, returned: [] };
  }

  /** Reads the statuses counted when trials ended, by number. */
  async statuses(owner: string): Promise<ReadonlyMap<number, TrialStatus>> {
    const { documents } = await this.read(KINDS.statuses, below(owner));
    return new Map(
      documents.flatMap(({ statuses }) =>
        Object.entries(statuses).map(([number, status]) => [Number(number), status] as const),
      ),
    );
  }

  /** Reads budget and ledger, from one moment if the campaign leaves one. */
  async money(owner: string): Promise<Money> {
    for (let tries = 1; ; tries += 1) {
      const first = await this.read(KINDS.budgets, { _id: owner });
      const { documents, malformed } = await this.ledger(owner);
      const second = await this.read(KINDS.budgets, { _id: owner });
      const [before, after] = [first.documents[0] ?? null, second.documents[0] ?? null];
      const still = JSON.stringify(heldOf(before)) === JSON.stringify(heldOf(after));
      if (!still && tries < TRIES_AT_MONEY) continue;
      return { before, rows: { documents, malformed: [...malformed, ...second.malformed] }, after, still };
    }
  }

  private async read<T>(
    { collection, version, schema }: ReadKind<T>,
    filter: Filter<Row>,
    without: readonly string[] = [],
  ): Promise<ReadDocuments<T>> {
    const projection = Object.fromEntries(without.map((field) => [field, 0]));
    const documents: T[] = [];
    const malformed: Malformed[] = [];
    const found = this.database.collection<Row>(collection).find(filter, { projection });
    for await (const document of found) {
      const { _id: id } = document;
      const refused = tooNew({ collection, version }, document);
      const parsed = schema.safeParse(document);
      if (refused !== null) malformed.push({ collection, id, why: refused.message });
      else if (parsed.success) documents.push(parsed.data);
      else malformed.push({ collection, id, why: explain(parsed.error) });
    }
    return { documents, malformed };
  }
}

const heldOf = (budget: BudgetDocument | null): unknown =>
  budget === null ? null : [budget.held, Object.keys(budget.open).sort()];

/** Documents whose keys begin with `OWNER/`: `0` comes right after the slash. */
function below(owner: string): Filter<Row> {
  return { _id: { $gte: `${owner}/`, $lt: `${owner}0` } };
}
