import type { Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('report')
    .description(
      'report on a campaign, or on an archive of another search: what its gains are worth, and why',
    )
    .argument('[campaign...]', 'name of a campaign, running or ended; several are compared in one report')
    .option('--archive <dir>', 'read a folder with a results.tsv instead, or one of several such folders')
    .option(
      '--columns <file>',
      "what the archive's columns mean; default: columns.yaml beside it, or known forms",
    )
    .option(
      '--compare',
      'one report on all runs of the archive, and the campaigns that are named, side by side',
    )
    .option('--into <dir>', 'folder to write NAME-report.html and NAME-report.md to', '.')
    .option('--json', 'print JSON: assay.report/1; writes nothing')
    .addHelpText(
      'after',
      helpText({
        notes: `An archive is only read: nothing of it is stored, and nothing that it says is believed. docs/reports.md says
what each figure means, and how columns.yaml is written.`,
        examples: [
          'assay report night-1',
          'assay report night-1 --into ./reports',
          'assay report night-1 night-2',
          'assay report --archive ./their-runs --compare',
          'assay report --archive ./their-run --columns ./columns.yaml',
        ],
      }),
    )
    .action(whenRun(() => import('../actions/report.js')));
}
