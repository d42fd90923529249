import { cancelTrial, type CancelAnswer } from '../use-cases/cancel-trial.js';
import { withContext } from '../context.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

interface Flags extends CommonFlags {
  reason?: string;
  campaign?: string;
}

export async function run(trial: string, flags: Flags): Promise<void> {
  const answer = await withContext(['temporal', 'store'], (ground) => cancelTrial(ground, trial, flags));
  if (flags.json === true) printJson(answer);
  else show(answer);
}

function show({ campaign, trial, acknowledged, status, cancelledBy }: CancelAnswer): void {
  const id = `${campaign}/${trial}`;
  if (!acknowledged) {
    print(`${id}: cancel was sent, but no worker runs that could obey; it will be obeyed first`);
    say('`assay dev` runs workers on this machine');
  } else if (status === null) {
    print(`${id}: cancel was sent; it has not ended yet`);
    say(`\`assay show ${id}\` shows when it has`);
  } else if (status === 'cancelled') print(`${id}: cancelled by ${cancelledBy ?? 'a person'}`);
  else print(`${id}: ended as ${status} before the cancel reached it`);
}
