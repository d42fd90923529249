import { withContext } from '../context.js';
import { renderTasks } from '../render/tasks.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';
import { listTasks } from '../use-cases/task-list.js';

export async function run(flags: CommonFlags): Promise<void> {
  const model = await withContext(['store'], ({ lineage }) => listTasks(lineage));
  if (flags.json === true) {
    printJson(model);
    return;
  }
  print(renderTasks(model));
  say('\n`assay start --task NAME --watch` starts a campaign');
}
