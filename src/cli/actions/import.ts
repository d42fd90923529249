import { campaignNameSchema } from '../../domain/keys.js';
import { AssayError } from '../../domain/errors.js';
import { explain } from '../../domain/text/explain.js';
import { withContext } from '../context.js';
import { withProgressLine } from '../terminal/progress-line.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';
import { importCampaign } from '../use-cases/import-campaign.js';

interface Flags extends CommonFlags {
  name?: string;
}

export async function run(dir: string, flags: Flags): Promise<void> {
  const asked = campaignNameSchema.optional().safeParse(flags.name);
  if (!asked.success) throw new AssayError('USAGE', `--name is not ${explain(asked.error)}`);
  await withContext(['store'], async ({ lineage }) => {
    const { name, manifest } = await withProgressLine((at) => importCampaign(lineage, dir, asked.data, at));
    const { campaign, exportedAt, assay } = manifest;
    if (flags.json === true)
      printJson({ schema: 'assay.imported/1', campaign: name, as: campaign, exportedAt, assay });
    else print(name);
    say(`stored, read-only; \`assay report ${name}\` says what it came to`);
  });
}
