import type { Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('audit')
    .description('check that store, server and this host agree on eight invariants; changes nothing')
    .argument('[campaign]', 'one campaign, running or ended; default: all of this store')
    .option('--json', 'print JSON: assay.audit/1')
    .addHelpText(
      'after',
      helpText({
        notes: `The exit code is 1 when an invariant is violated.`,
        examples: ['assay audit', 'assay audit night-1', 'assay audit night-1 --json'],
      }),
    )
    .action(whenRun(() => import('../actions/audit.js')));
}
