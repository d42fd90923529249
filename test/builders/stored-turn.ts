import { randomUUID } from 'node:crypto';
import type { TurnRef } from '../../src/session/conversation.js';
import { runTools } from '../../src/session/tools/run-tools.js';
import type { Seeded } from './stored-campaign.js';

/** A call of a model: the tool's name and its input. */
export type StoredCall = readonly [name: string, input: object];

/** Opens a session of a role on a trial, in the store alone. */
export async function storedSession(
  { lineage, owner }: Pick<Seeded, 'lineage' | 'owner'>,
  parent = 0,
  role = 'opt',
): Promise<string> {
  const session = `${owner}/${role}-1/${randomUUID()}`;
  const { snapshot } = await lineage.trials.require(owner, parent);
  const [system, opening] = [await lineage.blobs.put('system'), await lineage.blobs.put('opening')];
  await lineage.sessions.open({
    ...{ _id: session, owner, role, lane: `${role}-1`, index: 0, base: parent, snapshot, system, opening },
    ...{
      roleStart: null,
      cache: '5m',
      submitted: [],
      repeats: [],
      openedAt: new Date(),
      closedAt: null,
      closedBecause: null,
    },
  });
  return session;
}

/** Stores a reply that makes these calls, and carries out those that are no submits. */
export async function storedTurn(
  { lineage, owner }: Pick<Seeded, 'lineage' | 'owner'>,
  session: string,
  turn: number,
  calls: readonly StoredCall[],
): Promise<TurnRef> {
  const attempt = await lineage.sessions.attempt(session, turn);
  await lineage.sessions.store(
    { session, turn, attempt },
    {
      id: 'msg',
      model: 'm',
      content: calls.map(([name, input], index) => ({ type: 'tool_use', id: `c${index}`, name, input })),
      stopReason: 'tool_use',
      usage: { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 },
    },
    null,
  );
  const at = { owner, session, turn };
  const monitor = { signal: new AbortController().signal, tell: () => undefined };
  await runTools({ lineage, check: null, monitor }, at);
  return at;
}
