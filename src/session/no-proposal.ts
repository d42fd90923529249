import type { Reason } from '../domain/campaign/reasons.js';
import { sessionKey } from '../domain/keys.js';
import type { CampaignDocument } from '../lineage/documents/campaign.js';
import type { Lineage } from '../lineage/lineage.js';
import { SILENT_SESSIONS } from './open-session.js';

/** Lanes whose last words are read. */
const MOST_LANES = 20;

/** Says why a search ended without a single submission, in the last words of its lanes; null when it had one. */
export async function noProposal(
  lineage: Pick<Lineage, 'trials' | 'sessions'>,
  { owner, frozen }: Pick<CampaignDocument, 'owner' | 'frozen'>,
): Promise<Reason | null> {
  const { lanes } = frozen;
  if (lanes.length === 0 || (await lineage.trials.totals(owner)).submitted > 0) return null;
  const said = new Map<string, string[]>();
  for (const { lane } of lanes.slice(0, MOST_LANES)) {
    const because = await lastWords(lineage, owner, lane);
    if (because !== null) said.set(because, [...(said.get(because) ?? []), lane]);
  }
  if (said.size === 0) return null;
  const because = [...said].map(([words, of]) => `${of.join(', ')}: ${words}`).join('; ');
  return { kind: 'noProposal', lanes: lanes.length, because };
}

/** The reason of the last session of a lane that had no more than its silent ones. */
async function lastWords(
  { sessions }: Pick<Lineage, 'sessions'>,
  owner: string,
  lane: string,
): Promise<string | null> {
  for (let index = SILENT_SESSIONS - 1; index >= 0; index -= 1) {
    const session = await sessions.find(sessionKey(owner, lane, index));
    if (session?.closedBecause != null) return session.closedBecause;
  }
  return null;
}
