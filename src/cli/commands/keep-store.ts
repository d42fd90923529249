import type { Command } from 'commander';
import { whenRun } from './when-run.js';

/** Started by commands that read the store where none runs; not for people. */
export function register(program: Command): void {
  program
    .command('keep-store', { hidden: true })
    .description('run the store of this clone until no command has read it for a minute')
    .action(whenRun(() => import('../actions/keep-store.js')));
}
