import type { Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('doctor')
    .description('show what this machine has and lacks, with a remedy for each; starts and downloads nothing')
    .option('--json', 'print JSON: assay.doctor/1')
    .addHelpText(
      'after',
      helpText({
        notes: `The exit code is 3 when something essential is missing.`,
        examples: ['assay doctor', 'assay doctor --json'],
      }),
    )
    .action(whenRun(() => import('../actions/doctor.js')));
}
