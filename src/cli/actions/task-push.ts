import { loadTask } from '../../tasks/load.js';
import { withContext } from '../context.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

export async function run(dir: string, flags: CommonFlags): Promise<void> {
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
}
