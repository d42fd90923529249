import type { Client } from '@temporalio/client';
import { temporalNamespace } from '../../../workers/temporal-namespace.js';
import { elsewhereText, findElsewhere } from '../../domain/campaign/whereabouts.js';
import { AssayError } from '../../domain/errors.js';
import type { CampaignDocument } from '../../lineage/documents/campaign.js';

type Placed = Pick<CampaignDocument, '_id' | 'owner' | 'namespaceId' | 'foreign'>;

/** @throws AssayError CAMPAIGN_ELSEWHERE for a campaign that another server of this store may run */
export async function requireHere(client: Client, campaign: Placed): Promise<void> {
  if (campaign.foreign !== null)
    throw new AssayError('CAMPAIGN_ELSEWHERE', `campaign "${campaign._id}" was imported from an archive`, {
      remedy: 'It can be read, reported on and exported, and nothing of it can be changed.',
    });
  const elsewhere = await findElsewhere(campaign, temporalNamespace(client));
  if (elsewhere === null) return;
  const { _id: name } = campaign;
  throw new AssayError(
    'CAMPAIGN_ELSEWHERE',
    `campaign "${name}" is not of this server: ${elsewhereText(elsewhere)}`,
    // it may have been this one, which no variable can name
    elsewhere.kind !== 'unrecorded'
      ? {}
      : {
          remedy: `Name its server in TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE if that still knows it; once nothing of it runs any more, \`assay reconcile ${name} --server-gone\` settles what is left.`,
        },
  );
}
