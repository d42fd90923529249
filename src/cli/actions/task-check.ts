import { AssayError, ERRORS } from '../../domain/errors.js';
import { cacheFolder } from '../../dev/paths.js';
import { checkTask } from '../../measure/check-task.js';
import { loadTask } from '../../tasks/load.js';
import { homeFolder } from '../folders.js';
import { parseSlots } from '../use-cases/local-fleet.js';
import { onStdout } from '../render/paint.js';
import { renderTaskCheck } from '../render/task-check.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

type Flags = CommonFlags & { slots?: string; profile?: string };

export async function run(dir: string, flags: Flags): Promise<void> {
  const slots = parseSlots(flags.slots);
  const loaded = await loadTask(dir, { profile: flags.profile ?? null });
  const { spec } = loaded;
  const { signal } = new AbortController();
  const settings = { home: homeFolder(), cache: cacheFolder(), slots, signal };
  const checked = await checkTask(loaded, { ...settings, tell: (doing) => say(`${doing} …`) });
  const { failure } = checked;
  if (flags.json === true)
    printJson({
      schema: 'assay.task-check/1',
      task: spec.name,
      profile: spec.profile ?? null,
      ok: failure === null,
      ...checked,
    });
  else print(renderTaskCheck(spec, checked, onStdout));
  if (failure === null) {
    const named = flags.profile === undefined ? '' : ` --profile ${flags.profile}`;
    say(`\nnext: \`assay start --task ${dir}${named} --watch\``);
    return;
  }
  const message = `the start of task "${spec.name}" ended in ${failure.phase} as ${failure.status}: ${failure.reason}`;
  const code = failure.busyHost === true ? 'START_ON_BUSY_HOST' : 'START_RECIPE_FAILED';
  if (flags.json === true) process.exitCode = ERRORS[code].exit;
  else throw new AssayError(code, message, { detail: failure.tail });
}
