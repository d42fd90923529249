import { findTrial } from '../../analysis/read-models/find-trial.js';
import { storedArtifact } from '../../analysis/read-models/stored-artifact.js';
import { trialWorkflowId } from '../../domain/keys.js';
import { fillFreshFolder, requireFresh } from '../../tasks/fresh-folder.js';
import { withContext } from '../context.js';
import { plural } from '../render/text.js';
import { wholeNumber } from '../terminal/parsing.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';
import { writeArtifact } from '../use-cases/write-artifact.js';

interface Flags extends CommonFlags {
  campaign?: string;
  replicate?: string;
}

const REPLICATES = { min: 0, max: 1_000_000 };

export async function run(trial: string, dir: string, flags: Flags): Promise<void> {
  const wanted =
    flags.replicate === undefined ? null : wholeNumber('--replicate', flags.replicate, REPLICATES);
  await requireFresh(dir);
  await withContext(['store'], async ({ lineage }) => {
    const { campaign, number } = await findTrial(lineage, trial, flags.campaign);
    const { owner } = await lineage.campaigns.byName(campaign);
    const document = await lineage.trials.require(owner, number);
    const artifact = await storedArtifact(lineage, campaign, document, wanted);
    const { replicate, digest, bytes, files } = artifact;
    await fillFreshFolder(dir, (beside) => writeArtifact(lineage, beside, artifact));
    const id = trialWorkflowId(campaign, number);
    const of = { trial: id, replicate, digest, bytes, files: files.length, folder: dir };
    if (flags.json === true) printJson({ schema: 'assay.artifact/1', ...of });
    else print(dir);
    say(
      `${plural(files.length, 'file')} that replicate ${replicate} of ${id} left, sealed as ${digest.slice(0, 16)}`,
    );
  });
}
