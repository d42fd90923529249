import type { Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('gc')
    .description(
      'free what no record of the store needs: files and trees, and pieces that killed uploads left',
    )
    .option('--dry-run', 'only say what would be freed')
    .option(
      '--min-age <hours>',
      'free only what was last stored this many hours ago or earlier, at least 2 (default: 168)',
    )
    .option('--json', 'print JSON (assay.gc/1)')
    .addHelpText(
      'after',
      helpText({
        notes: `Campaigns may run meanwhile, of any Temporal server or namespace that uses this store, and a run that is killed is
continued by the next. Results, recipes, logs and artifacts that a trial, session or task names are never freed. Do not
run it beside workers of an assay that has no gc command: they do not renew what they store again.`,
        examples: ['assay gc --dry-run', 'assay gc', 'assay gc --min-age 24'],
      }),
    )
    .action(whenRun(() => import('../actions/gc.js')));
}
