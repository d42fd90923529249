import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AssayError } from '../../domain/errors.js';
import { isEnded } from '../../domain/statuses.js';
import { fillFreshFolder, requireFresh } from '../../tasks/fresh-folder.js';
import { withContext } from '../context.js';
import { archiveReadme } from '../render/archive-readme.js';
import { plural } from '../render/text.js';
import { withProgressLine } from '../terminal/progress-line.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';
import type { ArchiveManifest } from '../use-cases/archive-files.js';
import { exportCampaign } from '../use-cases/export-campaign.js';
import { writeRepository } from '../use-cases/write-repository.js';

interface Flags extends CommonFlags {
  git?: boolean;
}

export async function run(name: string, dir: string, flags: Flags): Promise<void> {
  await requireFresh(dir);
  await withContext(['store'], async ({ lineage }) => {
    const campaign = await lineage.campaigns.byName(name);
    if (!isEnded(campaign.state))
      throw new AssayError('CAMPAIGN_RUNNING', `campaign "${name}" has not ended (${campaign.state})`, {
        remedy: `Wait for its end, or end it: \`assay stop ${name}\`.`,
      });
    const manifests: ArchiveManifest[] = [];
    let commits = 0;
    await fillFreshFolder(dir, (beside) =>
      withProgressLine(async (at) => {
        const manifest = await exportCampaign(lineage, campaign, beside, at);
        await writeFile(join(beside, 'README.md'), archiveReadme(manifest));
        manifests.push(manifest);
        if (flags.git === true) commits = await writeRepository(lineage, campaign, beside);
      }),
    );
    const [manifest] = manifests;
    const trials = manifest?.documents.trials?.count ?? 0;
    const blobs = manifest?.blobs ?? 0;
    if (flags.json === true)
      printJson({ schema: 'assay.exported/1', campaign: name, folder: dir, trials, files: blobs, commits });
    else print(dir);
    say(
      `${plural(trials, 'trial')} and ${plural(blobs, 'file')} of ${name}; \`assay import\` stores it elsewhere`,
    );
  });
}
