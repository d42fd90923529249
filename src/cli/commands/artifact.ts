import type { Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('artifact')
    .description('write what the training of a trial left into a new folder')
    .argument('<trial>', 'demo/t00007; or t00007 or 7, of --campaign or else of the latest campaign')
    .argument('<dir>', 'folder to fill; it has to be empty or not there yet')
    .option('--campaign <name>', 'campaign of a trial given by number')
    .option('--replicate <n>', 'the run to take it from, as `assay show` numbers them (default: the first)')
    .option('--json', 'print JSON: assay.artifact/1')
    .addHelpText(
      'after',
      helpText({
        examples: [
          'assay artifact demo/t00007 ./weights',
          'assay artifact 7 ./weights --campaign demo --replicate 1',
        ],
      }),
    )
    .action(whenRun(() => import('../actions/artifact.js')));
}
