import { AssayError } from '../../domain/errors.js';
import { cacheFolder } from '../../dev/paths.js';
import { checkTask } from '../../measure/check-task.js';
import { loadTask } from '../../tasks/load.js';
import { homeFolder } from '../folders.js';
import { onStdout } from '../render/paint.js';
import { renderTaskCheck } from '../render/task-check.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

export async function run(dir: string, flags: CommonFlags): Promise<void> {
  const loaded = await loadTask(dir);
  const { spec } = loaded;
  const settings = { home: homeFolder(), cache: cacheFolder(), signal: new AbortController().signal };
  const checked = await checkTask(loaded, { ...settings, tell: (doing) => say(`${doing} …`) });
  const { failure } = checked;
  if (flags.json === true)
    printJson({ schema: 'assay.task-check/1', task: spec.name, ok: failure === null, ...checked });
  else print(renderTaskCheck(spec, checked, onStdout));
  if (failure === null) {
    say(`\nnext: \`assay start --task ${dir} --watch\``);
    return;
  }
  const message = `the start of task "${spec.name}" ended in ${failure.phase} as ${failure.status}: ${failure.reason}`;
  if (flags.json === true) process.exitCode = 1;
  else throw new AssayError('START_RECIPE_FAILED', message, { detail: failure.tail });
}
