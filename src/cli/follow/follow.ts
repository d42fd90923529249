import { campaignHeader } from '../../analysis/read-models/campaign-header.js';
import { isEnded } from '../../domain/statuses.js';
import type { CampaignDocument } from '../../lineage/documents/campaign.js';
import { within } from '../terminal/deadline.js';
import type { CommandContext } from '../context.js';
import { interrupted, Interrupted } from '../terminal/interrupt.js';
import { say } from '../terminal/terminal.js';
import { follow } from './live-view.js';

const LAST_LOOK_MS = 1000;

/** Shows a campaign that this command started until it has ended; the exit code is 0 for one that ended by its own rules. */
export async function followToEnd(
  ground: CommandContext,
  name: string,
  json: boolean,
  signal: AbortSignal = new AbortController().signal,
): Promise<number> {
  return exitCodeOf(await follow(ground, name, { json, signal, isStarted: true }));
}

/**
 * Follows a campaign until it ends or waits for a person, or until Ctrl-C, which leaves it running; `isStarted` tells
 * that this command has started it.
 */
export async function followOrLeave(
  ground: CommandContext,
  name: string,
  { json, isStarted = false }: { json: boolean; isStarted?: boolean },
): Promise<number> {
  const stopping = new AbortController();
  const following = follow(ground, name, { json, isStarted, signal: stopping.signal });
  const ended = await Promise.race([following, interrupted()]);
  stopping.abort();
  if (ended instanceof Interrupted) {
    await within(
      LAST_LOOK_MS,
      'the last look',
      following.catch(() => undefined),
    );
    say(
      `campaign ${name} keeps running; \`assay watch ${name}\` follows it again, \`assay pause ${name}\` pauses it`,
    );
    return ended.exitCode;
  }
  if (isEnded(ended.state)) {
    const { remark, claim } = await campaignHeader(ground.lineage, name);
    say(remark);
    if (claim.note !== null) say(claim.note);
  }
  say(nextOf(ended));
  return exitCodeOf(ended);
}

const exitCodeOf = ({ state }: CampaignDocument): number =>
  state === 'finished' || state === 'stopped' ? 0 : 1;

function nextOf({ _id: name, state }: CampaignDocument): string {
  if (state === 'blocked')
    return `next: fix that, then run \`assay resume ${name}\`; its trials wait. \`assay stop ${name} --now\` ends it`;
  if (state === 'failed')
    return `next: \`assay status ${name}\` says why; \`assay trials ${name}\` lists what ran`;
  return `next: \`assay trials ${name} --best\` lists the best, \`assay best ${name} DIR\` writes the best recipe into a folder`;
}
