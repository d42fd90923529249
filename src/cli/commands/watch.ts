import type { Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('watch')
    .description('follow a campaign until it ends; Ctrl-C leaves it running')
    .argument('<campaign>', 'name of the campaign')
    .option('--json', 'print one JSON object a line: assay.event/1')
    .addHelpText(
      'after',
      helpText({
        notes: `The exit code is 1 when the campaign failed or is blocked.`,
        examples: ['assay watch demo', 'assay watch demo --json | jq .event'],
      }),
    )
    .action(whenRun(() => import('../actions/watch.js')));
}
