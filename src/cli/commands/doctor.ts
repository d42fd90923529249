import type { Command } from 'commander';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('doctor')
    .description('show what this machine has and lacks, with a remedy for each; starts and downloads nothing')
    .option('--json', 'print JSON: assay.doctor/1')
    .addHelpText('before', 'Examples:\n  assay doctor\n  assay doctor --json\n')
    .addHelpText('after', '\nThe exit code is 3 when something essential is missing.')
    .action(whenRun(() => import('../actions/doctor.js')));
}
