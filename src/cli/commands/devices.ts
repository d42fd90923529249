import type { Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('devices')
    .description('hosts with accelerators: who has each device, and which get no work and why')
    .option('--json', 'print JSON (assay.devices/1)')
    .addHelpText(
      'after',
      helpText({
        notes: `Workers report every 15 s. A device gets no work while something else is on it, when its memory does not come
back after a run, when it is lost or its memory fails; it gets work again by itself when it is well.`,
        examples: ['assay devices', 'assay devices --json'],
      }),
    )
    .action(whenRun(() => import('../actions/devices.js')));
}
