import type { Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('best')
    .description(
      'write the best recipe of a campaign, its artifact and what is claimed of it into a new folder',
    )
    .argument('<campaign>', 'name of the campaign')
    .argument('<dir>', 'folder to fill; it has to be empty or not there yet')
    .option('--json', 'print JSON: assay.best/1')
    .addHelpText(
      'after',
      helpText({
        notes: `The folder gets README.md (what it is, what is claimed, how to run it), recipe/, changes.diff against the start, and
artifact/ where one is stored. The best is the frontier: what the campaign adopted last.`,
        examples: ['assay best night-1 ./best'],
      }),
    )
    .action(whenRun(() => import('../actions/best.js')));
}
