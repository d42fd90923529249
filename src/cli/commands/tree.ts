import type { Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('tree')
    .description('show what was proposed on top of what: adopted trials, and how many others below each')
    .argument('<campaign>', 'name of the campaign')
    .option('--all', 'a line for every trial')
    .option('--json', 'print JSON: assay.tree/1, with every trial')
    .addHelpText('after', helpText({ examples: ['assay tree night-1', 'assay tree night-1 --all | less'] }))
    .action(whenRun(() => import('../actions/tree.js')));
}
