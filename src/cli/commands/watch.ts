import type { Command } from 'commander';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('watch')
    .description('follow a campaign until it ends; Ctrl-C leaves it running')
    .argument('<campaign>', 'name of the campaign')
    .option('--json', 'print one JSON object a line: assay.event/1')
    .addHelpText('before', 'Examples:\n  assay watch demo\n  assay watch demo --json | jq .event\n')
    .addHelpText('after', '\nThe exit code is 1 when the campaign failed or is blocked.')
    .action(whenRun(() => import('../actions/watch.js')));
}
