import type { Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('diff')
    .description('show how the recipe of one trial differs from that of another; 0 is the start')
    .argument('<before>', 'demo/t00007; or t00007 or 7, of --campaign or else of the latest campaign')
    .argument('<after>', 'likewise')
    .option('--campaign <name>', 'campaign of trials given by number')
    .option('--json', 'print JSON: assay.diff/1')
    .addHelpText(
      'after',
      helpText({
        examples: ['assay diff 0 12 --campaign demo', 'assay diff night-1/t00031 night-2/t00007'],
      }),
    )
    .action(whenRun(() => import('../actions/diff.js')));
}
