import type { Command } from 'commander';
import { runFleet } from '../use-cases/local-fleet.js';
import { withContext } from '../context.js';
import { endRequest } from '../terminal/interrupt.js';
import { say } from '../terminal/terminal.js';

interface Flags {
  pool: string;
  slots?: string;
}

export function register(program: Command): void {
  program
    .command('worker')
    .description('run workers of the given roles until Ctrl-C: orchestrator, model, trainer, evaluator, all')
    .argument('[role...]', 'roles; default: all')
    .option('--pool <name>', 'pool whose queues the trainer and evaluator poll', 'cpu')
    .option('--slots <n>', 'concurrent trainings (default: one core is left for the rest)')
    .addHelpText(
      'before',
      `
Examples:
  assay worker
  assay worker trainer evaluator --pool h100x8 --slots 8

The servers come from TEMPORAL_ADDRESS and ASSAY_MONGODB_URL; without them, those of this clone.`,
    )
    .action(async (roles: string[], { pool, slots }: Flags) => {
      await withContext(
        ['temporal', 'store'],
        async ({ servers }) => {
          await runFleet(servers, { slots, roles, pool });
        },
        endRequest(),
      );
      say('stopped. What was in flight is taken up by the next worker of these roles.');
    });
}
