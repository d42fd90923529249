import { Option, type Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('stop')
    .description('end a campaign for good, after the trials that were accepted')
    .argument('<campaign>', 'name of the campaign')
    .option('--drain', 'let accepted trials end first (the default)')
    .addOption(new Option('--now', 'do not wait for them: what is in flight is cancelled').conflicts('drain'))
    .option('--json', 'print JSON: assay.control/1')
    .addHelpText(
      'after',
      helpText({
        examples: ['assay stop demo', 'assay stop demo --drain', 'assay stop demo --now'],
      }),
    )
    .action(whenRun(() => import('../actions/stop.js')));
}
