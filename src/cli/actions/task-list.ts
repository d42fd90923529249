import { withContext } from '../context.js';
import { ERRORS } from '../../domain/errors.js';
import { brokenLines, renderTasks } from '../render/tasks.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';
import { listTasks } from '../use-cases/task-list.js';

export async function run(flags: CommonFlags): Promise<void> {
  const model = await withContext(['store'], ({ lineage }) => listTasks(lineage));
  const [first] = model.broken;
  if (first !== undefined) process.exitCode = ERRORS[first.code].exit;
  if (flags.json === true) {
    printJson(model);
    return;
  }
  print(renderTasks(model));
  for (const line of brokenLines(model)) say(line);
  say('\n`assay start --task NAME --watch` starts a campaign');
}
