import type { Command } from 'commander';
import { tellControl } from '../control-answer.js';
import type { CommonFlags } from '../terminal.js';

export function register(program: Command): void {
  program
    .command('resume')
    .description('go on with a paused campaign')
    .argument('<campaign>', 'name of the campaign')
    .option('--json', 'print JSON: assay.control/1')
    .addHelpText('before', 'Examples:\n  assay resume demo\n')
    .action((campaign: string, flags: CommonFlags) => tellControl(campaign, { ask: 'resume' }, flags));
}
