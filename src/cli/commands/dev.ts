import type { Command } from 'commander';
import { runFleet } from '../use-cases/local-fleet.js';
import { withContext } from '../context.js';
import { endRequest } from '../terminal/interrupt.js';
import { say } from '../terminal/terminal.js';

export function register(program: Command): void {
  program
    .command('dev')
    .description('run the servers and every worker role on this machine until Ctrl-C')
    .option('--slots <n>', 'concurrent trainings (default: one core is left for the rest)')
    .addHelpText(
      'before',
      '\nExample:\n  assay dev\n  assay start --task byte-golf --trials 12   # in another terminal',
    )
    .action(async (flags: { slots?: string }) => {
      await withContext(
        ['temporal', 'store'],
        async ({ servers }) => {
          const { temporal, store } = servers;
          say(`Temporal ${temporal.address}${temporal.uiUrl === null ? '' : `, UI ${temporal.uiUrl}`}`);
          say(`store ${store.url} (${store.how})`);
          await runFleet(servers, { slots: flags.slots, roles: [], pool: 'cpu' });
        },
        endRequest(),
      );
      say('stopped. `assay dev` continues where this left off.');
    });
}
