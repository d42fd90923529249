import type { Command } from 'commander';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  const task = program
    .command('task')
    .description('list tasks, or push one of yours')
    .addHelpText('before', 'Examples:\n  assay task list\n  assay task push ./my-task\n');
  task
    .command('list', { isDefault: true })
    .description('list the bundled tasks and those that were pushed')
    .option('--json', 'print JSON: assay.tasks/1')
    .addHelpText('before', 'Examples:\n  assay task list\n  assay task list --json\n')
    .action(whenRun(() => import('../actions/task-list.js')));
  task
    .command('push')
    .description('check a task folder and store it under its name')
    .argument('<dir>', 'folder with a task.yaml')
    .option('--json', 'print JSON: assay.pushed/1')
    .addHelpText('before', 'Examples:\n  assay task push ./my-task\n')
    .action(whenRun(() => import('../actions/task-push.js')));
}
