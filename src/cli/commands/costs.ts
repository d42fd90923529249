import type { Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('costs')
    .description('show where money and accelerator time went: by role, phase and status of the trials')
    .argument('[campaign]', 'one campaign, running or ended; default: a line for each of the newest')
    .option('--json', 'print JSON: assay.costs/1')
    .addHelpText(
      'after',
      helpText({
        notes: `Totals are the sum of the ledger. \`assay budget\` shows limits; docs/cli.md says how to set prices.`,
        examples: ['assay costs', 'assay costs night-1', 'assay costs night-1 --json'],
      }),
    )
    .action(whenRun(() => import('../actions/costs.js')));
}
