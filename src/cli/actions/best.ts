import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bestModel } from '../../analysis/read-models/best.js';
import { fillFreshFolder, requireFresh } from '../../tasks/fresh-folder.js';
import { withContext } from '../context.js';
import { bestReadme } from '../render/best-readme.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';
import { writeIfInReach } from '../use-cases/write-artifact.js';
import { writeOut } from '../use-cases/write-out.js';

export async function run(campaign: string, dir: string, flags: CommonFlags): Promise<void> {
  await requireFresh(dir);
  await withContext(['store'], async ({ lineage }) => {
    const best = await bestModel(lineage, campaign);
    const { trial, recipe, artifact, diffToStart, record } = best;
    const notes: string[] = [];
    await fillFreshFolder(dir, async (beside) => {
      await writeOut(lineage.blobs, join(beside, 'recipe'), recipe);
      if (artifact !== null)
        notes.push(...(await writeIfInReach(lineage, join(beside, 'artifact'), artifact)));
      if (diffToStart !== '') await writeFile(join(beside, 'changes.diff'), diffToStart);
      await writeFile(join(beside, 'README.md'), bestReadme(best, notes[0] ?? null));
    });
    const { snapshot, score } = record;
    const of = { campaign, trial, snapshot, score, artifact: artifact?.digest ?? null, folder: dir };
    if (flags.json === true) printJson({ schema: 'assay.best/1', ...of });
    else print(dir);
    for (const why of notes) say(`without its artifact: ${why}`);
    say(`${trial}; ${join(dir, 'README.md')} says what is claimed of it and how to run it`);
  });
}
