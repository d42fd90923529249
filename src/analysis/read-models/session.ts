import { AssayError } from '../../domain/errors.js';
import { callKey, parseSessionRef, sessionKey, trialLabel } from '../../domain/keys.js';
import { toolUses, type Reply, type Usage } from '../../domain/session/conversation.js';
import { webUses, type WebUse } from '../../domain/session/web-uses.js';
import type { SessionDocument, SessionProbe } from '../../lineage/documents/session.js';
import type { Lineage } from '../../lineage/lineage.js';
import { isoOrNull } from './campaign-header.js';

/** One conversation in a list. Times are ISO 8601 in UTC. */
export interface SessionSummary {
  /** `demo/arch-0/3`. */
  session: string;
  role: string;
  lane: string;
  index: number;
  /** Trial that its workspace began with. */
  base: string;
  /** Trials that it submitted. */
  submitted: string[];
  openedAt: string;
  /** null while it runs. */
  closedAt: string | null;
  closedBecause: string | null;
}

/** A call of a tool, and what it was answered. */
export interface CallView {
  tool: string;
  input: unknown;
  /** null while it is not answered. */
  answer: { text: string; isError: boolean; at: string } | null;
}

/** One request, its reply, and what followed from it. */
export interface TurnView {
  turn: number;
  /** Requests that were begun; all but one were lost. */
  attempts: number;
  /** null before its reply is stored. */
  model: string | null;
  stopReason: string | null;
  /** Text of the reply, without calls and thinking. */
  text: string;
  calls: CallView[];
  /** Pages outside that the provider searched or fetched for it. */
  web: WebUse[];
  usage: Usage | null;
  /** Of all attempts; null before anything was settled. */
  microUsd: number | null;
  /** The part of it that lost requests cost at most. */
  unknownMicroUsd: number;
}

/** A run on the training data that the session asked for; it is no trial. */
export interface ProbeView {
  kind: 'probe' | 'profile';
  hypothesis: string;
  command: string;
  /** null where it was lost with its worker. */
  seconds: number | null;
  /** Exit status; null where it did not exit by itself. */
  exit: number | null;
  ended: string;
  /** Digest of what it printed. */
  output: string | null;
}

/** `assay.sessions/1`: the newest conversations of a campaign. */
export interface SessionsModel {
  schema: 'assay.sessions/1';
  campaign: string;
  sessions: SessionSummary[];
}

/** `assay.session/1`: one conversation as the model had it. */
export interface SessionModel extends SessionSummary {
  schema: 'assay.session/1';
  campaign: string;
  /** Exact system prompt. */
  system: string;
  /** Exact lineage text that it began with. */
  view: string;
  /** Written down for later sessions, oldest first. */
  notes: string[];
  /** Probes and profiles, oldest first. */
  probes: ProbeView[];
  turns: TurnView[];
  microUsd: number;
  unknownMicroUsd: number;
}

/** @throws AssayError CAMPAIGN_UNKNOWN */
export async function sessionsModel(
  lineage: Lineage,
  campaign: string,
  limit: number,
): Promise<SessionsModel> {
  const { owner } = await lineage.campaigns.byName(campaign);
  const sessions = await lineage.sessions.latest(owner, limit);
  return {
    schema: 'assay.sessions/1',
    campaign,
    sessions: sessions.map((session) => summaryOf(campaign, session)),
  };
}

/**
 * One conversation with all its turns.
 * @throws AssayError USAGE, CAMPAIGN_UNKNOWN, SESSION_UNKNOWN
 */
export async function sessionModel(lineage: Lineage, reference: string): Promise<SessionModel> {
  const parsed = parseSessionRef(reference);
  if (parsed === null)
    throw new AssayError('USAGE', `"${reference}" is not a session: write it as demo/arch-0/3`);
  const { campaign, lane, index } = parsed;
  const { owner } = await lineage.campaigns.byName(campaign);
  const session = await lineage.sessions.find(sessionKey(owner, lane, index));
  if (session === null)
    throw new AssayError('SESSION_UNKNOWN', `campaign "${campaign}" has no session ${lane}/${index}`, {
      remedy: `\`assay session ${campaign}\` lists its sessions.`,
    });
  const turns = await turnsOf(lineage, session._id);
  const sum = (of: (turn: TurnView) => number): number => turns.reduce((total, turn) => total + of(turn), 0);
  return {
    schema: 'assay.session/1',
    campaign,
    ...summaryOf(campaign, session),
    system: await lineage.blobs.text(session.system),
    view: await lineage.blobs.text(session.opening),
    notes: session.notes.map(({ text }) => text),
    probes: session.probes.map(probeView),
    turns,
    microUsd: sum(({ microUsd }) => microUsd ?? 0),
    unknownMicroUsd: sum(({ unknownMicroUsd }) => unknownMicroUsd),
  };
}

const probeView = ({ call: _, at: __, wallMs, ...probe }: SessionProbe): ProbeView => ({
  ...probe,
  seconds: wallMs === null ? null : Math.round(wallMs) / 1000,
});

function summaryOf(campaign: string, session: SessionDocument): SessionSummary {
  const { role, lane, index, base, submitted, openedAt, closedAt, closedBecause } = session;
  return {
    session: `${campaign}/${lane}/${index}`,
    role,
    lane,
    index,
    base: trialLabel(base),
    submitted: [...submitted].sort((a, b) => a - b).map(trialLabel),
    openedAt: openedAt.toISOString(),
    closedAt: isoOrNull(closedAt),
    closedBecause,
  };
}

async function turnsOf(lineage: Lineage, session: string): Promise<TurnView[]> {
  const turns: TurnView[] = [];
  for (let turn = 0; ; turn += 1) {
    const { attempts } = await lineage.sessions.attempts(session, turn);
    if (attempts === 0) return turns;
    turns.push(await turnOf(lineage, session, turn, attempts));
  }
}

async function turnOf(lineage: Lineage, session: string, turn: number, attempts: number): Promise<TurnView> {
  const keys = Array.from({ length: attempts }, (_, at) => callKey(session, turn, at + 1));
  const [reply, rows] = await Promise.all([
    lineage.sessions.reply(session, turn),
    lineage.budgets.settled(keys),
  ]);
  const cost = (of: typeof rows): number => of.reduce((sum, { spent }) => sum + spent.microUsd, 0);
  return {
    turn,
    attempts,
    model: reply?.model ?? null,
    stopReason: reply?.stopReason ?? null,
    text: reply === null ? '' : textOf(reply),
    calls: reply === null ? [] : await callViews(lineage, session, turn, reply),
    web: reply === null ? [] : webUses(reply),
    usage: reply?.usage ?? null,
    microUsd: rows.length === 0 ? null : cost(rows),
    unknownMicroUsd: cost(rows.filter(({ certainty }) => certainty === 'unknown')),
  };
}

const textOf = ({ content }: Reply): string =>
  content
    .flatMap((block) => (block.type === 'text' && typeof block.text === 'string' ? [block.text] : []))
    .join('\n');

async function callViews(lineage: Lineage, session: string, turn: number, reply: Reply): Promise<CallView[]> {
  const asked = toolUses(reply);
  const answers = await lineage.sessions.answersOf(session, turn, asked.length);
  return asked.map(({ name, input }, index) => {
    const found = answers.find((answer) => answer.index === index);
    const answer =
      found === undefined ? null : { text: found.text, isError: found.isError, at: found.at.toISOString() };
    return { tool: name, input, answer };
  });
}
