import type { Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('checkout')
    .description('write the recipe of a trial into a new folder')
    .argument('<trial>', 'demo/t00007; or t00007 or 7, of --campaign or else of the latest campaign')
    .argument('<dir>', 'folder to fill; it has to be empty or not there yet')
    .option('--campaign <name>', 'campaign of a trial given by number')
    .option('--json', 'print JSON: assay.checkout/1')
    .addHelpText(
      'after',
      helpText({
        examples: [
          'assay checkout demo/t00007 ./mine',
          'assay submit --task byte-golf --recipe ./mine --hypothesis "what I changed in it" --wait',
        ],
      }),
    )
    .action(whenRun(() => import('../actions/checkout.js')));
}
