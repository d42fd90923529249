import type { FrozenModels } from '../../domain/session/model-settings.js';
import { modelOfSession } from '../../domain/session/model-of-session.js';
import { lessonFacts } from '../../lineage/decisions/lesson-facts.js';
import type { ReplyUsage, TrialPlace } from '../../lineage/audit-reader.js';
import type { DecisionDocument } from '../../lineage/documents/decision.js';
import type { LedgerDocument } from '../../lineage/documents/ledger.js';

/** Costs of the requests of one role or model, and what they brought. */
export interface ModelCostLine {
  of: string;
  /** Requests, lost ones included. */
  requests: number;
  microUsd: number;
  /** Tokens of the prompts whose usage is known, and those of them that came from the provider's cache. */
  promptTokens: number;
  cachedTokens: number;
  /** Adopted trials, and by how much they are believed to be better than the frontier before them, in the metric's unit. */
  adopted: number;
  gain: number;
  /** Micro-USD for each unit of believed gain; null where nothing was gained. */
  microUsdPerGain: number | null;
}

/** Facts of a campaign that its lines are made of. */
export interface ModelCostFacts {
  frozen: FrozenModels;
  rows: readonly LedgerDocument[];
  replies: readonly ReplyUsage[];
  trials: readonly TrialPlace[];
  decisions: readonly DecisionDocument[];
}

/** Divides what models cost and brought by role, and by the model that each session was drawn. */
export function modelCosts(facts: ModelCostFacts): { byRole: ModelCostLine[]; byModel: ModelCostLine[] } {
  const roles = new Map<string, string>();
  for (const { _id, what, role } of facts.rows)
    if (what === 'model' && role !== '') roles.set(sessionOf(_id), role);
  const roleOf = (session: string): string => roles.get(session) ?? 'unknown';
  const modelOf = (session: string): string =>
    modelOfSession(facts.frozen, { role: roleOf(session), session }).id;
  return { byRole: linesBy(facts, roleOf), byModel: linesBy(facts, modelOf) };
}

/** Session of the key of a request, `SESSION/TURN/ATTEMPT`. */
const sessionOf = (key: string): string => key.replace(/\/\d+\/\d+$/, '');

function linesBy(
  { rows, replies, trials, decisions }: ModelCostFacts,
  of: (session: string) => string,
): ModelCostLine[] {
  const lines = new Map<string, ModelCostLine>();
  const lineOf = (session: string): ModelCostLine => {
    const name = of(session);
    const line = lines.get(name) ?? emptyLine(name);
    lines.set(name, line);
    return line;
  };
  for (const { _id, what, certainty, spent } of rows) {
    if (what !== 'model' || certainty === 'unpaid') continue;
    const line = lineOf(sessionOf(_id));
    line.requests += 1;
    line.microUsd += spent.microUsd;
  }
  for (const { session, usage } of replies) {
    if (usage === null) continue;
    const line = lineOf(session);
    line.promptTokens += usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
    line.cachedTokens += usage.cacheReadTokens;
  }
  const sessions = new Map(trials.map(({ number, session }) => [number, session]));
  for (const decision of decisions) {
    const session = sessions.get(decision.trial) ?? null;
    if (session === null || !decision.result.adopt) continue;
    const line = lineOf(session);
    line.adopted += 1;
    line.gain += gainOf(decision);
  }
  return [...lines.values()]
    .map((line) => ({ ...line, microUsdPerGain: line.gain > 0 ? line.microUsd / line.gain : null }))
    .sort((a, b) => b.microUsd - a.microUsd || b.requests - a.requests);
}

const emptyLine = (of: string): ModelCostLine => ({
  ...{ of, requests: 0, microUsd: 0, promptTokens: 0, cachedTokens: 0, adopted: 0, gain: 0 },
  microUsdPerGain: null,
});

/** The believed gain of an adopted trial; as measured under a rule that believes nothing. */
function gainOf(decision: DecisionDocument): number {
  const { gain, delta, direction } = lessonFacts(decision);
  if (gain !== null) return gain;
  return delta === null ? 0 : direction === 'minimize' ? -delta : delta;
}
