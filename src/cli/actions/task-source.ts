import { join, relative } from 'node:path';
import { AssayError } from '../../domain/errors.js';
import { sourcesOf } from '../../domain/task/schema/source.js';
import { FOLDER_LIMITS } from '../../domain/task/recipe.js';
import { fillFreshFolder, requireFresh } from '../../tasks/fresh-folder.js';
import { readFolder, writeFolder } from '../../tasks/folder.js';
import { readTask } from '../../tasks/load.js';
import { bringSources } from '../../tasks/source/assemble.js';
import { sourceSettings } from '../../tasks/source/cache.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

type Flags = CommonFlags & { into: string; upstream?: boolean };

/** Writes the files that a task takes from other repositories into a folder of their own. */
export async function run(dir: string, { into, upstream, json }: Flags): Promise<void> {
  const { spec } = await readTask(dir);
  const sources = sourcesOf(spec);
  if (sources.length === 0) throw new AssayError('USAGE', `task "${spec.name}" has no source`);
  await requireFresh(into);
  const own = await readFolder(dir, { ...FOLDER_LIMITS, code: 'TASK_INVALID' });
  const state = upstream === true ? 'upstream' : 'patched';
  const files = await bringSources(sources, own, sourceSettings(), state);
  await fillFreshFolder(into, (beside) => writeFolder(beside, files));
  const paths = files.map(({ path }) => path);
  if (json === true)
    printJson({ schema: 'assay.task-source/1', task: spec.name, state, folder: into, files: paths });
  else print(paths.map((path) => join(relative('', into), path)).join('\n'));
  say(`\nwritten as ${state === 'upstream' ? 'upstream has them' : 'the task uses them'}`);
}
