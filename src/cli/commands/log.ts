import type { Command } from 'commander';
import { LOGGED_PHASES } from '../../domain/trial/logged-phases.js';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('log')
    .description('print what the phases of a trial wrote, in order')
    .argument('<trial>', 'demo/t00007; or t00007 or 7, of --campaign or else of the latest campaign')
    .option('--phase <phase>', `only this phase: ${LOGGED_PHASES.join(', ')}`)
    .option('--campaign <name>', 'campaign of a trial given by number')
    .option('--json', 'print JSON: assay.log/1')
    .addHelpText(
      'after',
      helpText({
        examples: ['assay log demo/t00007', 'assay log demo/t00007 --phase train > train.log'],
      }),
    )
    .action(whenRun(() => import('../actions/log.js')));
}
