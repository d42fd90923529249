import type { Command } from 'commander';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('audit')
    .description('check that store, server and this host agree on eight invariants; changes nothing')
    .argument('[campaign]', 'one campaign, running or ended; default: all of this store')
    .option('--json', 'print JSON: assay.audit/1')
    .addHelpText('before', 'Examples:\n  assay audit\n  assay audit night-1\n  assay audit night-1 --json\n')
    .addHelpText('after', '\nThe exit code is 1 when an invariant is violated.')
    .action(whenRun(() => import('../actions/audit.js')));
}
