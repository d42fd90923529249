import type { FrozenCampaign } from '../domain/campaign/campaign.js';
import { REFUSED_TWICE } from '../domain/session/conversation.js';
import { BUILT_IN_ROLES } from '../domain/session/roles.js';
import { AssayError } from '../domain/errors.js';
import { START, fieldOf, sessionKey } from '../domain/keys.js';
import type { Task } from '../domain/task/task.js';
import { trainClock } from '../domain/task/phase-clock.js';
import { cacheTimeOf, type CacheTime } from '../domain/session/cache-time.js';
import { isHeld } from '../domain/statuses.js';
import type { FrozenPrompt } from '../lineage/documents/campaign.js';
import type { TaskDocument } from '../lineage/documents/task.js';
import type { Lineage } from '../lineage/lineage.js';
import { readSpecialist, type SpecialistFile } from '../tasks/specialist-file.js';
import { definedFields } from '../domain/defined-fields.js';
import { closedBecause } from './closed-because.js';
import { promptKnowledge } from './prompt-knowledge.js';
import { openingMessage, systemPrompt } from '../model/prompt.js';
import { countedCharactersPerToken } from './counted-tokens.js';
import { lineageView } from './lineage-view.js';

/** `closed`: a reset lane comes by a session that it has ended before. */
export type OpenedSession =
  | { kind: 'open'; session: string }
  | { kind: 'closed' }
  | { kind: 'wait' }
  | { kind: 'done'; reason: string };

/** A lane that has had this many sessions in a row without a proposal has nothing more to say. */
export const SILENT_SESSIONS = 3;
/** Stands between the blocks of a system prompt where it is stored as one text. */
const BETWEEN = '\n\n';

/** A session by its lane and its number there. */
export interface LaneSession {
  owner: string;
  role: string;
  lane: string;
  index: number;
}

/** Opens a conversation with the exact texts that it sees, where the campaign takes proposals. */
export async function openSession(
  lineage: Lineage,
  { owner, role, lane, index }: LaneSession,
): Promise<OpenedSession> {
  const id = sessionKey(owner, lane, index);
  const before = await lineage.sessions.find(id);
  if (before !== null) return before.closedAt === null ? { kind: 'open', session: id } : { kind: 'closed' };
  const campaign = await lineage.campaigns.byOwner(owner);
  if (isHeld(campaign.control)) return { kind: 'wait' };
  const closed = await closedBecause(lineage, campaign);
  if (closed !== null) return { kind: 'done', reason: closed };
  if (await isSilent(lineage, { owner, lane, index }))
    return { kind: 'done', reason: `no proposal in ${SILENT_SESSIONS} sessions` };
  const task = await lineage.tasks.get(campaign.frozen.task.digest);
  const frontier = await lineage.decisions.frontier(owner);
  if (frontier === null)
    throw new AssayError('INTERNAL', 'a session was opened before the start was measured');
  const specialist = await specialistOf(lineage, task, role);
  const viewer = { campaign, task: task.spec, role, session: id, neighbours: specialist.neighbours };
  const view = await lineageView(lineage, viewer, frontier);
  const base = await lineage.trials.require(owner, view.base);
  const { frozen } = campaign;
  const counted = await countedCharactersPerToken(
    lineage,
    { frozen, spec: task.spec },
    { owner, lane, index },
  );
  const { system, roleStart } =
    campaign.prompts[fieldOf(role)] ??
    (await lineage.campaigns.freezePrompt(
      owner,
      role,
      await promptOf(lineage, frozen, task, { role, ...specialist }),
    ));
  await lineage.sessions.open({
    _id: id,
    owner,
    role,
    lane,
    index,
    base: base.number,
    snapshot: base.snapshot,
    system,
    roleStart,
    cache: await cacheTime(lineage, frozen, task.spec),
    opening: await lineage.blobs.put(
      openingMessage(view, task.spec, frozen.viewTokens, {
        session: `${frozen.name}/${lane}/${index}`,
        ...definedFields({ charactersPerToken: counted ?? undefined }),
      }),
    ),
    submitted: [],
    openedAt: new Date(),
    closedAt: null,
    closedBecause: null,
  });
  return { kind: 'open', session: id };
}

async function isSilent(
  lineage: Lineage,
  { owner, lane, index }: Omit<LaneSession, 'role'>,
): Promise<boolean> {
  if (index < SILENT_SESSIONS) return false;
  const indices = Array.from({ length: SILENT_SESSIONS }, (_, i) => index - 1 - i);
  const sessions = await Promise.all(indices.map((at) => lineage.sessions.find(sessionKey(owner, lane, at))));
  return sessions.every(
    (session) => session?.submitted.length === 0 && session.closedBecause !== REFUSED_TWICE,
  );
}

/** The prompt of a role, and the roles that it is shown besides itself. */
async function specialistOf(lineage: Lineage, task: TaskDocument, role: string): Promise<SpecialistFile> {
  const builtIn = BUILT_IN_ROLES.get(role);
  if (builtIn !== undefined) return { neighbours: null, prompt: builtIn };
  const path = `specialists/${role}.md`;
  return readSpecialist(path, await fileText(lineage, task, path));
}

async function fileText(lineage: Lineage, task: TaskDocument, path: string): Promise<string> {
  const file = task.files.find((candidate) => candidate.path === path);
  return file === undefined ? '' : lineage.blobs.text(file.sha256);
}

/** Trials whose durations say how long a model waits for one. */
const RECENT_TRIALS = 20;

/** Chooses the time for which the provider should keep the prompts of a session that begins now. */
async function cacheTime(
  lineage: Lineage,
  { owner, trainSeconds }: FrozenCampaign,
  task: Task,
): Promise<CacheTime> {
  const recent = await lineage.trials.latest(owner, RECENT_TRIALS);
  const waited = recent.flatMap(({ number, replicates, submittedAt, endedAt }) =>
    number === START || replicates.length === 0 || endedAt === null
      ? []
      : [endedAt.getTime() - submittedAt.getTime()],
  );
  const { budget, limitS } = trainClock(task, trainSeconds);
  return cacheTimeOf(waited, (budget?.seconds ?? limitS) * 1000);
}

async function promptOf(
  lineage: Lineage,
  frozen: FrozenCampaign,
  task: TaskDocument,
  { role, prompt }: { role: string; prompt: string },
): Promise<FrozenPrompt> {
  const [shared, own] = systemPrompt({
    task: task.spec,
    role,
    rolePrompt: prompt,
    knowledge: await promptKnowledge(lineage, task),
    trainSeconds: frozen.trainSeconds,
    turns: frozen.turns,
    lanes: frozen.lanes.map((lane) => lane.role),
    lineage: frozen.lineage,
    sessionTrials: frozen.sessionTrials,
  });
  const system = await lineage.blobs.put(`${shared}${BETWEEN}${own}`);
  return { system, roleStart: shared.length + BETWEEN.length };
}
