import type { Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('session')
    .description(
      'show a conversation with a specialist: what it saw, said, called and was answered, and its cost',
    )
    .argument('<session>', 'demo/arch-0/3; or a campaign, to list its sessions')
    .option('--follow', 'go on until it is closed')
    .option('--full', 'whole texts, where otherwise the first lines of long ones are shown')
    .option('--limit <n>', 'at most this many in a list', '50')
    .option('--json', 'print JSON: assay.session/1, or assay.sessions/1 for a list')
    .addHelpText(
      'after',
      helpText({
        examples: [
          'assay session night-1',
          'assay session night-1/arch-0/3',
          'assay session night-1/arch-0/3 --follow',
          'assay session night-1/arch-0/3 --json | jq -r .view',
        ],
      }),
    )
    .action(whenRun(() => import('../actions/session.js')));
}
