import type { Command } from 'commander';
import { loadTask } from '../../tasks/load.js';
import { withContext } from '../context.js';
import { renderTasks } from '../render/tasks.js';
import { listTasks } from '../use-cases/task-list.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

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
    .action(async (flags: CommonFlags) => {
      const model = await withContext(['store'], ({ lineage }) => listTasks(lineage));
      if (flags.json === true) {
        printJson(model);
        return;
      }
      print(renderTasks(model));
      say('\n`assay start --task NAME --watch` starts a campaign');
    });
  task
    .command('push')
    .description('check a task folder and store it under its name')
    .argument('<dir>', 'folder with a task.yaml')
    .option('--json', 'print JSON: assay.pushed/1')
    .addHelpText('before', 'Examples:\n  assay task push ./my-task\n')
    .action(async (dir: string, flags: CommonFlags) => {
      const { spec, files } = await loadTask(dir);
      const stored = await withContext(['store'], ({ lineage }) => lineage.tasks.push(spec, files, 'person'));
      if (flags.json === true) {
        printJson({
          schema: 'assay.pushed/1',
          name: spec.name,
          digest: stored._id,
          files: stored.files.length,
        });
        return;
      }
      print(`${spec.name} ${stored._id}`);
      say(`stored ${stored.files.length} files; \`assay start --task ${spec.name} --watch\` searches on it`);
    });
}
