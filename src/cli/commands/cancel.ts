import type { Command } from 'commander';
import { cancelTrial, type CancelAnswer } from '../use-cases/cancel-trial.js';
import { withContext } from '../context.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

interface Flags extends CommonFlags {
  reason?: string;
  campaign?: string;
}

export function register(program: Command): void {
  program
    .command('cancel')
    .description('cancel one trial, queued or running; the rest of its campaign is not affected')
    .argument('<trial>', 'demo/t00007, t00007 or 7')
    .option('--reason <text>', 'why; stored with the trial and shown to its session')
    .option('--campaign <name>', 'its campaign (default: the latest)')
    .option('--json', 'print JSON: assay.cancel/1')
    .addHelpText(
      'before',
      'Examples:\n  assay cancel demo/t00007\n  assay cancel demo/t00007 --reason "the idea was tried before"\n',
    )
    .addHelpText(
      'after',
      `
The trial ends as cancelled once its processes are dead. A whole campaign is ended by \`assay stop\`.`,
    )
    .action(async (trial: string, flags: Flags) => {
      const answer = await withContext(['temporal', 'store'], (ground) => cancelTrial(ground, trial, flags));
      if (flags.json === true) printJson(answer);
      else show(answer);
    });
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
