import type { FrozenCampaign } from '../domain/campaign/campaign.js';
import { sessionKey } from '../domain/keys.js';
import { charactersPerToken } from '../domain/session/token-ratio.js';
import type { Task } from '../domain/task/task.js';
import type { Lineage } from '../lineage/lineage.js';
import { toolDefinitions } from '../model/tools/tools.js';
import { toolOffer } from './tool-offer.js';

/**
 * Characters of a token as the provider counted them in the first prompt of the lane's session before; null where there
 * was none, or its endpoint counts nothing.
 */
export async function countedCharactersPerToken(
  lineage: Lineage,
  { frozen, spec }: { frozen: FrozenCampaign; spec: Task },
  { owner, lane, index }: { owner: string; lane: string; index: number },
): Promise<number | null> {
  if (index === 0) return null;
  const before = await lineage.sessions.find(sessionKey(owner, lane, index - 1));
  const reply = before === null ? null : await lineage.sessions.reply(before._id, 0);
  if (before === null || reply === null) return null;
  const [system, opening] = await Promise.all([
    lineage.blobs.text(before.system),
    lineage.blobs.text(before.opening),
  ]);
  const tools = JSON.stringify(toolDefinitions(toolOffer(spec, frozen)));
  return charactersPerToken(system.length + opening.length + tools.length, reply.usage);
}
