import type { Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('cancel')
    .description('cancel one trial, queued or running; the rest of its campaign is not affected')
    .argument('<trial>', 'demo/t00007, t00007 or 7')
    .option('--reason <text>', 'why; stored with the trial and shown to its session')
    .option('--campaign <name>', 'its campaign (default: the latest)')
    .option('--json', 'print JSON: assay.cancel/1')
    .addHelpText(
      'after',
      helpText({
        notes: `The trial ends as cancelled once its processes are dead. A whole campaign is ended by \`assay stop\`.`,
        examples: [
          'assay cancel demo/t00007',
          'assay cancel demo/t00007 --reason "the idea was tried before"',
        ],
      }),
    )
    .action(whenRun(() => import('../actions/cancel.js')));
}
