import type { Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('submit')
    .description('submit one trial of your own code, in a campaign or by itself')
    .option('--task <name|folder>', 'the task (not needed with --campaign)')
    .option('--profile <name>', 'profile of the task (default: what stands outside its profiles)')
    .requiredOption('--recipe <folder>', 'folder with the recipe to measure')
    .requiredOption('--hypothesis <text>', 'what changes and why it should help')
    .option('--expected-delta <number>', 'expected score minus the parent’s')
    .option('--domain <name>', 'what the edit is of, one of the domains that the task names')
    .option('--campaign <name>', 'a running campaign to submit to')
    .option('--train-seconds <s>', 'training budget instead of the task’s (without --campaign only)')
    .option(
      '--runs <n>',
      'measure the start and the trial this many times each, 2 to 20 (without --campaign only)',
    )
    .option('--wait', 'wait for the end and print the record')
    .option(
      '--json',
      'print JSON: the record (assay.trial/1) with --wait, else the number (assay.submitted/1)',
    )
    .addHelpText(
      'after',
      helpText({
        notes: `Alone, the start recipe of the task is measured once for comparison; one run of each proves nothing. --runs N
measures both N times under fresh seeds, and gives their difference with its standard error and interval. Where
no worker runs, --wait runs them itself until the trial has ended.`,
        examples: [
          'assay submit --task byte-golf --recipe ./mine --hypothesis "Adam instead of SGD" --wait',
          'assay submit --task byte-golf --recipe ./mine --hypothesis "Adam instead of SGD" --runs 4 --wait',
          'assay submit --campaign night-1 --recipe ./mine --hypothesis "wider context" --wait --json',
        ],
      }),
    )
    .action(whenRun(() => import('../actions/submit.js')));
}
