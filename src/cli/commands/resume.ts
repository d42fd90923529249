import type { Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('resume')
    .description('resume a paused or blocked campaign, or a parked trial')
    .argument('<what>', 'name of the campaign, or demo/t00007 for a parked trial')
    .option('--json', 'print JSON: assay.control/1 for a campaign, assay.resumed/1 for a trial')
    .addHelpText(
      'after',
      helpText({
        examples: ['assay resume demo', 'assay resume demo/t00007'],
      }),
    )
    .action(whenRun(() => import('../actions/resume.js')));
}
