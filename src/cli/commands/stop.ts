import { Option, type Command } from 'commander';
import { tellControl } from '../render/control-answer.js';
import type { CommonFlags } from '../terminal/terminal.js';

interface Flags extends CommonFlags {
  now?: boolean;
  drain?: boolean;
}

export function register(program: Command): void {
  program
    .command('stop')
    .description('end a campaign for good, after the trials that were accepted')
    .argument('<campaign>', 'name of the campaign')
    .option('--drain', 'let accepted trials end first (the default)')
    .addOption(new Option('--now', 'do not wait for them: what is in flight is cancelled').conflicts('drain'))
    .option('--json', 'print JSON: assay.control/1')
    .addHelpText(
      'before',
      'Examples:\n  assay stop demo\n  assay stop demo --drain\n  assay stop demo --now\n',
    )
    .action((campaign: string, flags: Flags) =>
      tellControl(campaign, { ask: 'stop', mode: flags.now === true ? 'now' : 'drain' }, flags),
    );
}
