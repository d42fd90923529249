import { findTrial } from '../../analysis/read-models/find-trial.js';
import { trialWorkflowId } from '../../domain/keys.js';
import { fillFreshFolder, requireFresh } from '../../tasks/fresh-folder.js';
import { withContext } from '../context.js';
import { shellWord } from '../render/shell-word.js';
import { plural } from '../render/text.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';
import { writeOut } from '../use-cases/write-out.js';

interface Flags extends CommonFlags {
  campaign?: string;
}

export async function run(trial: string, dir: string, flags: Flags): Promise<void> {
  await requireFresh(dir);
  await withContext(['store'], async ({ lineage }) => {
    const { campaign, number } = await findTrial(lineage, trial, flags.campaign);
    const { owner, frozen } = await lineage.campaigns.byName(campaign);
    const { snapshot } = await lineage.trials.require(owner, number);
    const files = await lineage.blobs.tree(snapshot);
    await fillFreshFolder(dir, (beside) => writeOut(lineage.blobs, beside, files));
    const id = trialWorkflowId(campaign, number);
    if (flags.json === true)
      printJson({ schema: 'assay.checkout/1', trial: id, snapshot, folder: dir, files: files.length });
    else print(dir);
    say(`${plural(files.length, 'file')} of ${id}; changed, they are measured by:
  assay submit --task ${frozen.task.digest} --recipe ${shellWord(dir)} --hypothesis "…" --wait`);
  });
}
