import type { Command } from 'commander';
import { parseTrialRef } from '../../domain/keys.js';
import { tellControl } from '../render/control-answer.js';
import { withContext } from '../context.js';
import { resumeTrial } from '../use-cases/parked-trial.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

export function register(program: Command): void {
  program
    .command('resume')
    .description('resume a paused or blocked campaign, or a parked trial')
    .argument('<what>', 'name of the campaign, or demo/t00007 for a parked trial')
    .option('--json', 'print JSON: assay.control/1 for a campaign, assay.resumed/1 for a trial')
    .addHelpText('before', 'Examples:\n  assay resume demo\n  assay resume demo/t00007\n')
    .action((what: string, flags: CommonFlags) =>
      isTrial(what) ? tellResumed(what, flags) : tellControl(what, { ask: 'resume' }, flags),
    );
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
