import type { Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('status')
    .description(
      'list the campaigns, or show one: state, why nothing moves, limits, lanes, what runs, best, spending',
    )
    .argument('[campaign]', 'name of a campaign; without it the newest are listed')
    .option('--json', 'print JSON: assay.status/1, or assay.campaigns/1 without a name')
    .addHelpText(
      'after',
      helpText({
        examples: ['assay status', 'assay status demo', 'assay status demo --json'],
      }),
    )
    .action(whenRun(() => import('../actions/status.js')));
}
