import type { Command } from 'commander';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('status')
    .description(
      'list the campaigns, or show one: state, why nothing moves, limits, lanes, what runs, best, spending',
    )
    .argument('[campaign]', 'name of a campaign; without it the newest are listed')
    .option('--json', 'print JSON: assay.status/1, or assay.campaigns/1 without a name')
    .addHelpText('before', 'Examples:\n  assay status\n  assay status demo\n  assay status demo --json\n')
    .action(whenRun(() => import('../actions/status.js')));
}
