import type { Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('reconcile')
    .description(
      'settle what dead workers and ended campaigns left open: trials, reservations, claims, workflows, folders',
    )
    .argument('[campaign]', 'one campaign; default: all of this store that are of this server')
    .option('--dry-run', 'only say what would be done')
    .option(
      '--server-gone',
      'settle a campaign of another Temporal server or namespace, which is gone for good: nothing of it may run any more',
    )
    .option('--json', 'print JSON (assay.reconcile/1)')
    .addHelpText(
      'after',
      helpText({
        examples: [
          'assay reconcile --dry-run',
          'assay reconcile night-1',
          'assay reconcile old-1 --server-gone',
        ],
      }),
    )
    .action(whenRun(() => import('../actions/reconcile.js')));
}
