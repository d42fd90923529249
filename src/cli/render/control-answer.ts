import { trialLabel } from '../../domain/keys.js';
import { isEnded } from '../../domain/statuses.js';
import { control, type ControlAnswer, type Wish } from '../use-cases/control.js';
import { withContext } from '../context.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

/** Sends a request to a campaign and prints its result. */
export async function tellControl(campaign: string, wish: Wish, flags: CommonFlags): Promise<void> {
  const answer = await withContext(['temporal', 'store'], (ground) => control(ground, campaign, wish));
  if (flags.json === true) {
    printJson(answer);
    return;
  }
  print(describeControl(answer));
  say(nextOf(answer));
}

/** Describes in one line what a campaign does now. */
export function describeControl({
  campaign,
  asked,
  acknowledged,
  state,
  control: now,
  stillRunning,
}: ControlAnswer): string {
  if (!acknowledged)
    return `${campaign}: ${asked} was sent, but no worker runs that could obey; it will be obeyed first`;
  const running = stillRunning.map(({ trial, stage, host }) => `${trialLabel(trial)} (${stage} on ${host})`);
  const rest = running.length === 0 ? '' : `; still ending: ${running.join(', ')}`;
  return `${campaign}: ${isEnded(state) ? state : now}${isEnded(state) ? '' : rest}`;
}

function nextOf({ campaign, acknowledged, asked, state }: ControlAnswer): string {
  if (!acknowledged) return '`assay dev` runs workers on this machine';
  if (asked === 'pause') return `\`assay resume ${campaign}\` resumes it`;
  return isEnded(state)
    ? `\`assay status ${campaign}\` shows its result`
    : `\`assay watch ${campaign}\` follows it`;
}
