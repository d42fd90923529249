import type { Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('replay')
    .description('replay the history of a workflow against the present code, and say where they diverge')
    .argument(
      '<workflow>',
      'a campaign (demo), a lane (demo/opt-1), a trial (demo/t00007), or a file of JSON',
    )
    .option('--run <id>', 'a run of the workflow other than its latest')
    .option('--json', 'print JSON: assay.replay/1')
    .addHelpText(
      'after',
      helpText({
        notes: `A file is what \`temporal workflow show --workflow-id ID --output json\` prints. Nothing is run again: results of
activities come from the history. The exit code is 1 when they part.`,
        examples: ['assay replay demo/t00007', 'assay replay demo/opt-1 --json', 'assay replay history.json'],
      }),
    )
    .action(whenRun(() => import('../actions/replay.js')));
}
