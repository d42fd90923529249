import { parseTrialRef } from '../../domain/keys.js';
import { tellControl } from '../render/control-answer.js';
import { withContext } from '../context.js';
import { resumeTrial } from '../use-cases/parked-trial.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

export async function run(what: string, flags: CommonFlags): Promise<void> {
  await (isTrial(what) ? tellResumed(what, flags) : tellControl(what, { ask: 'resume' }, flags));
}

/** A campaign may be called `7`; a trial is named with its campaign. */
const isTrial = (what: string): boolean => parseTrialRef(what)?.campaign != null;

async function tellResumed(reference: string, flags: CommonFlags): Promise<void> {
  const answer = await withContext(['temporal', 'store'], (ground) => resumeTrial(ground, reference));
  if (flags.json === true) {
    printJson(answer);
    return;
  }
  const id = `${answer.campaign}/${answer.trial}`;
  print(`${id}: resumed`);
  say(`\`assay show ${id}\` shows what it comes to`);
}
