import type { Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('import')
    .description('store a campaign from a folder that `assay export` wrote')
    .argument('<dir>', 'folder of an archive')
    .option('--name <name>', 'name of the campaign here (default: as it was called)')
    .option('--json', 'print JSON: assay.imported/1')
    .addHelpText(
      'after',
      helpText({
        notes: `An imported campaign can be read in every way and changed in none; it is marked as measured elsewhere. Everything is
checked before anything is stored. Tables of other searches are read by \`assay report --archive\`.`,
        examples: ['assay import ./night-1-archive', 'assay import ./night-1-archive --name theirs'],
      }),
    )
    .action(whenRun(() => import('../actions/import.js')));
}
