import type { Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('terminate')
    .description(
      'end a campaign on the server at once, when workers are gone or stuck, and settle what it leaves',
    )
    .argument('<campaign>', 'name of the campaign')
    .option('--yes', 'do not ask')
    .option('--reason <text>', 'why, kept with the state')
    .option('--json', 'print JSON: assay.terminated/1')
    .addHelpText(
      'after',
      helpText({
        notes: `\`assay stop --now\` is the better way while workers run: it lets them say when their processes are dead. After
\`temporal workflow terminate\`, the reconcile pass settles the same within minutes.`,
        examples: ['assay terminate demo', 'assay terminate demo --yes --reason "the host is gone"'],
      }),
    )
    .action(whenRun(() => import('../actions/terminate.js')));
}
