import type { Command } from 'commander';
import { tellControl } from '../render/control-answer.js';
import type { CommonFlags } from '../terminal/terminal.js';

interface Flags extends CommonFlags {
  reason?: string;
}

export function register(program: Command): void {
  program
    .command('pause')
    .description(
      'pause a campaign: no new training and no new model request; running training ends and is kept',
    )
    .argument('<campaign>', 'name of the campaign')
    .option('--reason <text>', 'why, shown with the state')
    .option('--json', 'print JSON: assay.control/1')
    .addHelpText(
      'before',
      'Examples:\n  assay pause demo\n  assay pause demo --reason "the host is needed"\n',
    )
    .action((campaign: string, flags: Flags) =>
      tellControl(campaign, { ask: 'pause', reason: flags.reason }, flags),
    );
}
