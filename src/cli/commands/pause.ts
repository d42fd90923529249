import type { Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

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
      'after',
      helpText({
        examples: ['assay pause demo', 'assay pause demo --reason "the host is needed"'],
      }),
    )
    .action(whenRun(() => import('../actions/pause.js')));
}
