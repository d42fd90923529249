import type { Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('show')
    .description(
      'show everything about one trial: hypothesis, diff, score, failure, phases, isolation, decision',
    )
    .argument('<trial>', 'demo/t00007; or t00007 or 7, of --campaign or else of the latest campaign')
    .option('--campaign <name>', 'campaign of a trial given by number')
    .option('--json', 'print JSON: assay.trial/1')
    .addHelpText(
      'after',
      helpText({
        examples: ['assay show demo/t00007', 'assay show 7 --campaign demo --json'],
      }),
    )
    .action(whenRun(() => import('../actions/show.js')));
}
