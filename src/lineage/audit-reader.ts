import type { Db, Filter } from 'mongodb';
import { z } from 'zod';
import { explain } from '../domain/text/explain.js';
import { trialStatusSchema, type TrialStatus } from '../domain/statuses.js';
import { claimDocument } from './documents/claim.js';
import { decisionDocument } from './documents/decision.js';
import { budgetDocument, type BudgetDocument } from './documents/budget.js';
import { ledgerDocument, type LedgerDocument } from './documents/ledger.js';
import { phaseResultDocument } from './documents/phase-result.js';
import { replicateDocument } from './documents/replicate.js';
import { answerDocument, replyDocument, sessionDocument, turnDocument } from './documents/session.js';
import { snapshotDocument } from './documents/snapshot.js';
import { taskDocument } from './documents/task.js';
import { trialDocument } from './documents/trial.js';

/** A document that does not have its shape. */
export interface Malformed {
  collection: string;
  id: string;
  why: string;
}

/** All documents of one kind that belong to a campaign; those without their shape apart. */
export interface ReadDocuments<T> {
  documents: T[];
  malformed: Malformed[];
}

const trialPlace = trialDocument.pick({ number: true, session: true, turn: true, status: true });
/** A trial as the turn that submitted it and what it came to. */
export type TrialPlace = z.infer<typeof trialPlace>;

/** Reply and answer without what they say: who they belong to. */
const replyPlace = replyDocument.omit({ reply: true });
const answerPlace = answerDocument.omit({ text: true });
export type ReplyPlace = z.infer<typeof replyPlace>;
export type AnswerPlace = z.infer<typeof answerPlace>;

const counterDocument = z.object({ number: z.number().int(), counted: z.number().int() });
const blockDocument = z.object({ _id: z.string(), statuses: z.record(z.string(), trialStatusSchema) });

/** The budget's document before and after the ledger was read. */
export interface Money {
  before: BudgetDocument | null;
  rows: ReadDocuments<LedgerDocument>;
  after: BudgetDocument | null;
  /** Whether nothing was spent while it was read, so that all three are of one moment. */
  still: boolean;
}

const TRIES_AT_MONEY = 8;

interface Row {
  _id: string;
}

/** Whole collections of one campaign, for the audit: everything else reads what it needs by its key. */
export class AuditReader {
  constructor(private readonly database: Db) {}

  trials = (owner: string) => this.read('trials', { owner }, trialDocument);
  /** Trials without what they propose and measured. */
  places = (owner: string) =>
    this.read('trials', { owner }, trialPlace, [
      'hypothesis',
      'changes',
      'outcome',
      'replicates',
      'preflight',
    ]);
  replicates = (owner: string) => this.read('replicates', { owner }, replicateDocument);
  decisions = (owner: string) => this.read('decisions', { owner }, decisionDocument);
  claims = (owner: string) => this.read('claims', { owner }, claimDocument);
  phases = (owner: string) => this.read('phases', { owner }, phaseResultDocument);
  sessions = (owner: string) => this.read('sessions', { owner }, sessionDocument);
  turns = (owner: string) => this.read('turns', below(owner), turnDocument);
  replies = (owner: string) => this.read('replies', below(owner), replyPlace, ['reply']);
  answers = (owner: string) => this.read('answers', below(owner), answerPlace, ['text']);
  ledger = (owner: string) => this.read('ledger', { owner }, ledgerDocument);
  tasks = (digest: string) => this.read('tasks', { _id: digest }, taskDocument);

  /** Stored trees of these digests; missing ones are left out. */
  async snapshots(digests: readonly string[]): Promise<ReadDocuments<z.infer<typeof snapshotDocument>>> {
    return this.read('snapshots', { _id: { $in: [...digests] } }, snapshotDocument);
  }

  /** The numbers that the campaign remembers to have given, which may lag behind the trials. */
  async counter(owner: string): Promise<{ number: number; counted: number }> {
    const found = await this.database.collection<Row>('counters').findOne({ _id: owner });
    // a hint, which is found again from the trials
    return counterDocument.safeParse(found).data ?? { number: 0, counted: 0 };
  }

  /** The statuses that were counted when trials ended, by number. */
  async statuses(owner: string): Promise<ReadonlyMap<number, TrialStatus>> {
    const { documents } = await this.read('statuses', below(owner), blockDocument);
    return new Map(
      documents.flatMap(({ statuses }) =>
        Object.entries(statuses).map(([number, status]) => [Number(number), status] as const),
      ),
    );
  }

  /** Budget and ledger, of one moment where the campaign leaves one. */
  async money(owner: string): Promise<Money> {
    for (let tries = 1; ; tries += 1) {
      const first = await this.read('budgets', { _id: owner }, budgetDocument);
      const { documents, malformed } = await this.ledger(owner);
      const second = await this.read('budgets', { _id: owner }, budgetDocument);
      const [before, after] = [first.documents[0] ?? null, second.documents[0] ?? null];
      const still = JSON.stringify(heldOf(before)) === JSON.stringify(heldOf(after));
      if (!still && tries < TRIES_AT_MONEY) continue;
      return { before, rows: { documents, malformed: [...malformed, ...second.malformed] }, after, still };
    }
  }

  private async read<T>(
    collection: string,
    filter: Filter<Row>,
    shape: z.ZodType<T>,
    without: readonly string[] = [],
  ): Promise<ReadDocuments<T>> {
    const projection = Object.fromEntries(without.map((field) => [field, 0]));
    const documents: T[] = [];
    const malformed: Malformed[] = [];
    const found = this.database.collection<Row>(collection).find(filter, { projection });
    for await (const document of found) {
      const parsed = shape.safeParse(document);
      if (parsed.success) documents.push(parsed.data);
      else malformed.push({ collection, id: document._id, why: explain(parsed.error) });
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
