import type { Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('export')
    .description('write all that is known of a campaign into a new folder')
    .argument('<campaign>', 'name of a campaign that has ended')
    .argument('<dir>', 'folder to fill; it has to be empty or not there yet')
    .option('--git', 'also a git repository with one commit for each adopted trial')
    .option('--json', 'print JSON: assay.exported/1')
    .addHelpText(
      'after',
      helpText({
        notes: `The folder has every stored document as JSON lines, every file under its digest, the recipe of each trial, and a
results.tsv. Secrets that held-out data are derived from stay here. docs/archives.md describes it.`,
        examples: ['assay export night-1 ./night-1-archive', 'assay report --archive ./night-1-archive'],
      }),
    )
    .action(whenRun(() => import('../actions/export.js')));
}
