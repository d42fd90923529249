import type { Command } from 'commander';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('reconcile')
    .description(
      'settle what dead workers and ended campaigns left open: trials, reservations, claims, workflows, folders',
    )
    .argument('[campaign]', 'one campaign; default: all of this store')
    .option('--dry-run', 'only say what would be done')
    .option('--json', 'print JSON (assay.reconcile/1)')
    .addHelpText('before', 'Examples:\n  assay reconcile --dry-run\n  assay reconcile night-1\n')
    .action(whenRun(() => import('../actions/reconcile.js')));
}
