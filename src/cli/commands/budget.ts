import type { Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('budget')
    .description('show the limits of a campaign and what is used of them, or change them while it runs')
    .argument('<campaign>', 'name of the campaign')
    .option('--trials <n>', 'end after this many trials')
    .option('--submissions <n>', 'end after this many submissions, duplicates included')
    .option('--hours <h>', 'end after this many hours at work, or `none`')
    .option('--hours-without-gain <h>', 'end after this many hours without an improvement, or `none`')
    .option('--dollars <usd>', 'pause when this much money is spent, or `none`')
    .option('--accelerator-seconds <s>', 'pause when this many seconds of a slot are spent, or `none`')
    .option('--json', 'print JSON: assay.budget/1')
    .addHelpText(
      'after',
      helpText({
        notes: `Numbers are totals since the start, not what is added. Fewer trials than there are already end the search; what was
accepted is still measured.`,
        examples: [
          'assay budget night-1                          what is allowed, used and held',
          'assay budget night-1 --dollars 10             resumes a campaign that ran out of money',
          'assay budget night-1 --trials 40 --hours none',
        ],
      }),
    )
    .action(whenRun(() => import('../actions/budget.js')));
}
