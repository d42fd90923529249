import type { Usage } from '../../src/domain/session/conversation.js';
import { priceOf } from '../../src/model/pricing.js';

/** Shape of a session, in tokens and minutes. */
export const SESSION = {
  /** Tools, task, protocol and role, which stand first in every request. */
  prefix: 9000,
  /** The view of the lineage that it opens with. */
  opening: 6000,
  turns: 30,
  /** Each third turn submits a trial. */
  trialEvery: 3,
  /** A reply, thinking included, and the answers of its tools. */
  reply: 1500,
  answers: 900,
  trialMinutes: 12,
  turnMinutes: 1,
};

export type Marks = 'none' | '5m' | '1h';
const KEPT_MINUTES: Record<Marks, number> = { none: 0, '5m': 5, '1h': 60 };

/** Usage of each request of the session, by how long the provider keeps what is marked. */
export function usagesOf(marks: Marks): Usage[] {
  return Array.from({ length: SESSION.turns }, (_, turn) => {
    const before = SESSION.prefix + SESSION.opening + (turn - 1) * (SESSION.reply + SESSION.answers);
    const prompt = before + SESSION.reply + SESSION.answers;
    const waited = turn % SESSION.trialEvery === 0 ? SESSION.trialMinutes : SESSION.turnMinutes;
    const read = turn > 0 && waited < KEPT_MINUTES[marks] ? before : 0;
    const written = marks === 'none' ? 0 : prompt - read;
    return {
      inputTokens: prompt - read - written,
      cacheReadTokens: read,
      cacheWriteTokens: written,
      ...(marks === '1h' ? { cacheWriteHourTokens: written } : {}),
      outputTokens: SESSION.reply,
    };
  });
}

/** Dollars of the session's prompts, and of its replies. */
export function dollarsOf(model: string, marks: Marks): { prompts: number; replies: number } {
  const price = (usage: Usage): number => (priceOf(model, usage) ?? 0) / 1e6;
  const usages = usagesOf(marks);
  const all = usages.reduce((sum, usage) => sum + price(usage), 0);
  const prompts = usages.reduce((sum, usage) => sum + price({ ...usage, outputTokens: 0 }), 0);
  return { prompts, replies: all - prompts };
}
