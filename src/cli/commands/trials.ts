import type { Command } from 'commander';
import { TRIAL_STATUSES } from '../../domain/trial/trial-statuses.js';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('trials')
    .alias('query')
    .description('list the trials of a campaign, newest first; all that is asked for has to hold')
    .argument('<campaign>', 'name of the campaign')
    .option('--status <status>', `only this status: ${[...TRIAL_STATUSES, 'running'].join(', ')}`)
    .option('--role <role>', 'only the trials of this specialist')
    .option('--parent <trial>', 'only those proposed on top of this trial, such as 12 or t00012')
    .option('--score-from <x>', 'only with a score of at least this')
    .option('--score-to <x>', 'only with a score of at most this')
    .option('--text <words>', 'only with these words in the hypothesis or the lesson, in upper or lower case')
    .option('--limit <n>', 'at most this many', '50')
    .option('--best', 'best first, of the measured trials that met every gate (at most 20)')
    .option('--json', 'print JSON: assay.trials/1')
    .addHelpText(
      'after',
      helpText({
        examples: [
          'assay trials demo',
          'assay trials demo --best --limit 5',
          'assay trials demo --status crash --role arch',
          'assay query demo --text dropout --score-to 1.2 --json',
        ],
      }),
    )
    .action(whenRun(() => import('../actions/trials.js')));
}
