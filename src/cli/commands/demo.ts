import type { Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('demo')
    .description(
      'measure a small campaign on this machine: three specialists, 12 trials of byte-golf, no key needed',
    )
    .option('--trials <n>', 'trials to run', '12')
    .option('--train-seconds <s>', 'training budget of one trial', '3')
    .option('--claim-runs <n>', 'fresh runs of the start and of the best recipe each, 0: claim nothing', '4')
    .addHelpText(
      'after',
      helpText({
        examples: ['npm run demo', 'npm run demo -- --trials 30'],
      }),
    )
    .action(whenRun(() => import('../actions/demo.js')));
}
