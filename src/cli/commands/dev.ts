import type { Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('dev')
    .description('run the servers and every worker role on this machine until Ctrl-C')
    .option('--slots <n>', 'concurrent trainings (default: one core is left for the rest)')
    .addHelpText(
      'after',
      helpText({
        examples: ['assay dev', 'assay start --task byte-golf --trials 12   # in another terminal'],
      }),
    )
    .action(whenRun(() => import('../actions/dev.js')));
}
