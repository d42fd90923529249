import { isEnded } from '../domain/statuses.js';
import type { Ground } from './ground.js';
import { follow } from './watching.js';

/** Shows a campaign until it has ended; the exit code is 0 for one that ended by its own rules. */
export async function followToEnd(
  ground: Ground,
  name: string,
  json: boolean,
  signal: AbortSignal = new AbortController().signal,
): Promise<number> {
  const campaign = await follow(ground, name, { json, signal });
  if (!isEnded(campaign.state)) return 1;
  return campaign.state === 'finished' || campaign.state === 'stopped' ? 0 : 1;
}
