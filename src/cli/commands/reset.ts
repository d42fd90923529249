import type { Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('reset')
    .description('resume a campaign, lane or trial from an earlier point of its history')
    .argument('<workflow>', 'a campaign (demo), a lane (demo/opt-1) or a trial (demo/t00007)')
    .requiredOption(
      '--to <event>',
      'first, last-task, or the number of the event that is to happen again with all that followed',
    )
    .option('--reason <text>', 'why, kept in the history')
    .option('--json', 'print JSON: assay.reset/1')
    .addHelpText(
      'after',
      helpText({
        notes: `Everything that is stored stays as it is: replies that were paid, numbers that were taken and phases that were
finished are used again, and a trial or campaign that has ended ends again in the same way. A lane or trial that an
earlier run has started continues, and is waited for. \`temporal workflow reset\` does the same.`,
        examples: [
          'assay reset demo/opt-1 --to last-task',
          'assay reset demo/t00007 --to first --reason "the host was fixed"',
          'assay reset demo --to 42',
        ],
      }),
    )
    .action(whenRun(() => import('../actions/reset.js')));
}
