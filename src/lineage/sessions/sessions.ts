import type { Db } from 'mongodb';
import { AssayError } from '../../domain/errors.js';
import { callKey, turnKey } from '../../domain/keys.js';
import { replySchema, type Reply } from '../../domain/session/conversation.js';
import {
  sessionDocument,
  type AnswerDocument,
  type Asked,
  type CheckedFiles,
  type NewSession,
  type SessionDocument,
  type SessionProbe,
} from '../documents/session.js';
import { KINDS } from '../document-kinds.js';
import { TypedCollection } from '../typed-collection.js';

const NOTES_KEPT = 100;
const CHECKS_KEPT = 50;

/**
 * Conversations: the view of each session, every paid reply before its use, and the answer to every tool call.
 */
export class Sessions {
  private readonly sessions;
  private readonly turns;
  private readonly replies;
  private readonly answers;

  constructor(database: Db) {
    this.sessions = new TypedCollection(database, KINDS.sessions);
    this.turns = new TypedCollection(database, KINDS.turns);
    this.replies = new TypedCollection(database, KINDS.replies);
    this.answers = new TypedCollection(database, KINDS.answers);
  }

  /** Opens a session once; a retry gets the text that was stored first. */
  async open(session: NewSession): Promise<SessionDocument> {
    await this.sessions.insertOnce(sessionDocument.parse(session));
    return this.sessions.require(session._id);
  }

  async find(session: string): Promise<SessionDocument | null> {
    return this.sessions.get(session);
  }

  async get(session: string): Promise<SessionDocument> {
    return this.sessions.require(session);
  }

  /** Reads the newest sessions of a campaign, newest first. */
  async latest(owner: string, limit: number): Promise<SessionDocument[]> {
    return this.sessions.list({ owner }, { sort: { openedAt: -1, _id: 1 }, limit });
  }

  /** Reads the newest sessions of a role, newest first. */
  async latestOfRole(owner: string, role: string, limit: number): Promise<SessionDocument[]> {
    return this.sessions.list({ owner, role }, { sort: { openedAt: -1, _id: 1 }, limit });
  }

  async addSubmitted(session: string, number: number): Promise<void> {
    await this.sessions.update({ _id: session }, { $addToSet: { submitted: number } });
  }

  /** Enters a submitted trial that the session does not wait for. */
  async addDetached(session: string, number: number): Promise<void> {
    await this.sessions.update({ _id: session }, { $addToSet: { detached: number } });
  }

  /** Records that the session has got the answers of trials that it did not wait for. */
  async addCollected(session: string, numbers: readonly number[]): Promise<void> {
    await this.sessions.update({ _id: session }, { $addToSet: { collected: { $each: [...numbers] } } });
  }

  /** Records what the session was told of. */
  async tell(session: string, { frontier, ended }: SessionDocument['told']): Promise<void> {
    await this.sessions.update(
      { _id: session },
      { $set: { 'told.frontier': frontier }, $addToSet: { 'told.ended': { $each: ended } } },
    );
  }

  /** Records once for each call that it was answered with an earlier trial. */
  async addRepeat(session: string, repeat: SessionDocument['repeats'][number]): Promise<void> {
    await this.sessions.update(
      { _id: session, 'repeats.call': { $ne: repeat.call } },
      { $push: { repeats: repeat } },
    );
  }

  /** Keeps a note once for each call. */
  async addNote(session: string, note: SessionDocument['notes'][number]): Promise<void> {
    await this.sessions.update(
      { _id: session, 'notes.call': { $ne: note.call } },
      { $push: { notes: { $each: [note], $slice: -NOTES_KEPT } } },
    );
  }

  /** Records the result of a check once for each call. */
  async addCheck(session: string, check: CheckedFiles): Promise<void> {
    await this.sessions.update(
      { _id: session, 'checks.call': { $ne: check.call } },
      { $push: { checks: { $each: [check], $slice: -CHECKS_KEPT } } },
    );
  }

  /** Records that an attempt at a probe begins, before it is run. */
  async beginProbe(session: string, attempt: string): Promise<void> {
    await this.sessions.update({ _id: session }, { $addToSet: { probesBegun: attempt } });
  }

  /** Records a probe that ended, once for each call. */
  async addProbe(session: string, probe: SessionProbe): Promise<void> {
    await this.sessions.update(
      { _id: session, 'probes.call': { $ne: probe.call } },
      { $push: { probes: probe } },
    );
  }

  async close(session: string, because: string): Promise<void> {
    await this.sessions.update(
      { _id: session, closedAt: null },
      { $set: { closedAt: new Date(), closedBecause: because } },
    );
  }

  /** Reads the reply that a turn uses, if it has one. */
  async reply(session: string, turn: number): Promise<Reply | null> {
    const { chosen } = await this.attempts(session, turn);
    if (chosen === null) return null;
    const { reply } = await this.replies.require(callKey(session, turn, chosen));
    return replySchema.parse(JSON.parse(reply));
  }

  /** Reads the replies that the turns before one use, in order. @throws AssayError INTERNAL where one is missing */
  async repliesBefore(session: string, turn: number): Promise<Reply[]> {
    const numbers = Array.from({ length: turn }, (_, at) => at);
    const turns = await this.turns.many(numbers.map((at) => turnKey(session, at)));
    const keys = turns.flatMap((of) => (of.chosen === null ? [] : [callKey(session, of.turn, of.chosen)]));
    const byTurn = new Map((await this.replies.many(keys)).map((found) => [found.turn, found.reply]));
    return numbers.map((at) => {
      const reply = byTurn.get(at);
      if (reply === undefined) throw new AssayError('INTERNAL', `turn ${at} of ${session} has no reply`);
      return replySchema.parse(JSON.parse(reply));
    });
  }

  /** Reads the answers of the first turns in order; `calls` has the number of calls of each. */
  async answersBefore(session: string, calls: readonly number[]): Promise<AnswerDocument[]> {
    const keys = calls.flatMap((count, turn) =>
      Array.from({ length: count }, (_, index) => callKey(session, turn, index)),
    );
    return (await this.answers.many(keys)).sort((a, b) => a.turn - b.turn || a.index - b.index);
  }

  /** Reads the settings of the request whose reply a turn uses; null where there is none, or an earlier assay made it. */
  async asked(session: string, turn: number): Promise<Asked | null> {
    const { chosen } = await this.attempts(session, turn);
    return chosen === null ? null : (await this.replies.require(callKey(session, turn, chosen))).asked;
  }

  /** Chooses the reply of a turn whose attempt was cut off between storing it and choosing it. */
  async chooseStored(session: string, turn: number): Promise<void> {
    const { attempts, chosen } = await this.attempts(session, turn);
    if (chosen !== null) return;
    for (let attempt = 1; attempt <= attempts; attempt += 1)
      if ((await this.replies.get(callKey(session, turn, attempt))) !== null)
        return this.choose(session, turn, attempt);
  }

  /** Reads the number of attempts at a turn, and the one whose reply it uses. */
  async attempts(session: string, turn: number): Promise<{ attempts: number; chosen: number | null }> {
    const found = await this.turns.get(turnKey(session, turn));
    return { attempts: found?.attempts ?? 0, chosen: found?.chosen ?? null };
  }

  /** Returns the number of a new attempt at a turn, taken before anything is paid. */
  async attempt(session: string, turn: number): Promise<number> {
    const id = turnKey(session, turn);
    await this.turns.insertOnce({ _id: id, session, turn, attempts: 0, chosen: null, at: new Date() });
    const changed = await this.turns.change({ _id: id }, { $inc: { attempts: 1 } });
    return changed?.attempts ?? 1;
  }

  /** Stores a paid reply and returns the one the turn uses: this one, unless another was chosen before. */
  async store(
    { session, turn, attempt }: { session: string; turn: number; attempt: number },
    reply: Reply,
    asked: Asked | null = null,
  ): Promise<Reply> {
    const _id = callKey(session, turn, attempt);
    await this.replies.insertOnce({
      _id,
      session,
      turn,
      attempt,
      reply: JSON.stringify(reply),
      asked,
      usage: reply.usage,
      at: new Date(),
    });
    await this.choose(session, turn, attempt);
    return (await this.reply(session, turn)) ?? reply;
  }

  private async choose(session: string, turn: number, attempt: number): Promise<void> {
    await this.turns.update({ _id: turnKey(session, turn), chosen: null }, { $set: { chosen: attempt } });
  }

  /** Stores the answer to a call once and returns the one that counts. */
  async answer(answer: AnswerDocument): Promise<AnswerDocument> {
    await this.answers.insertOnce(answer);
    return this.answers.require(answer._id);
  }

  async answerTo(session: string, turn: number, index: number): Promise<AnswerDocument | null> {
    return this.answers.get(callKey(session, turn, index));
  }

  /** Reads the answers of one turn to its first `calls` calls, in order; missing ones are left out. */
  async answersOf(session: string, turn: number, calls: number): Promise<AnswerDocument[]> {
    const keys = Array.from({ length: calls }, (_, index) => callKey(session, turn, index));
    return (await this.answers.many(keys)).sort((a, b) => a.index - b.index);
  }
}
