import { randomUUID } from 'node:crypto';
import type { AnswerDocument } from '../../src/lineage/documents/session.js';
import type { Lineage } from '../../src/lineage/lineage.js';
import type { Bench, Checker } from '../../src/session/tools/answer.js';
import { runTools } from '../../src/session/tools/run-tools.js';

/** A tool call by its name and input. */
export type Called = readonly [name: string, input?: object];

/** A conversation whose replies a test writes; its tools are the real ones. */
export interface Conversing {
  session: string;
  /** Stores a reply with these calls, has those of the workspace carried out, and returns their answers. */
  reply: (...calls: Called[]) => Promise<AnswerDocument[]>;
  /** Text of the only answer to a reply with one call. */
  ask: (name: string, input?: object) => Promise<string>;
  /** The place of the last reply, for calls that the workflow carries out. */
  at: (index: number) => { owner: string; session: string; turn: number; index: number };
}

interface Choices {
  base?: number;
  role?: string;
  check?: Checker | null;
  bench?: Bench;
}

/** Opens a session on a trial. */
export async function conversing(
  { lineage, owner }: { lineage: Lineage; owner: string },
  { base = 0, role = 'opt', check = null, bench }: Choices = {},
): Promise<Conversing> {
  const session = `${owner}/${role}-1/${randomUUID()}`;
  const { snapshot } = await lineage.trials.require(owner, base);
  const [system, opening] = [await lineage.blobs.put('system'), await lineage.blobs.put('opening')];
  await lineage.sessions.open({
    ...{ _id: session, owner, role, lane: `${role}-1`, index: 0, base, snapshot, system, opening },
    ...{ submitted: [], openedAt: new Date(), closedAt: null, closedBecause: null },
  });
  let turn = -1;
  const reply: Conversing['reply'] = async (...calls) => {
    turn += 1;
    const attempt = await lineage.sessions.attempt(session, turn);
    await lineage.sessions.store(
      { session, turn, attempt },
      {
        id: `msg-${turn}`,
        model: 'm',
        content: calls.map(([name, input = {}], at) => ({
          type: 'tool_use',
          id: `t${turn}-${at}`,
          name,
          input,
        })),
        stopReason: 'tool_use',
        usage: { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 },
      },
    );
    const monitor = { signal: new AbortController().signal, tell: () => undefined };
    await runTools(
      { lineage, check, monitor, ...(bench === undefined ? {} : { bench }) },
      { owner, session, turn },
    );
    return lineage.sessions.answersOf(session, turn, calls.length);
  };
  return {
    session,
    reply,
    ask: async (name, input = {}) => {
      const [answer] = await reply([name, input]);
      if (answer === undefined) throw new Error(`${name} was not answered`);
      return answer.text;
    },
    at: (index) => ({ owner, session, turn, index }),
  };
}
