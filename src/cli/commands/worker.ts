import type { Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('worker')
    .description('run workers of the given roles until Ctrl-C: orchestrator, model, trainer, evaluator, all')
    .argument('[role...]', 'roles; default: all')
    .option('--pool <name>', 'pool whose queues the trainer and evaluator poll', 'cpu')
    .option('--slots <n>', 'concurrent trainings (default: one core is left for the rest)')
    .addHelpText(
      'after',
      helpText({
        notes: `The servers come from TEMPORAL_ADDRESS and ASSAY_MONGODB_URL; without them, those of this clone.`,
        examples: ['assay worker', 'assay worker trainer evaluator --pool h100x8 --slots 8'],
      }),
    )
    .action(whenRun(() => import('../actions/worker.js')));
}
