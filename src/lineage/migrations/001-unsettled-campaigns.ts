import { KINDS } from '../document-kinds.js';
import type { Migration } from './migration.js';

const BATCH = 500;

/**
 * Adds `settledAt` to campaigns. Since version 9 it records that nothing is left to settle, which is unknown for
 * older campaigns.
 */
export const unsettledCampaigns: Migration = {
  id: '001-unsettled-campaigns',
  version: 9,
  title: 'campaigns say whether anything is left to settle',
  run: async ({ database, checkpoint, say }) => {
    const campaigns = database.collection<{ _id: string }>(KINDS.campaigns.collection);
    const without = { settledAt: { $exists: false } };
    const total = await campaigns.countDocuments(without);
    for (let done = 0; ;) {
      const batch = await campaigns
        .find(without, { projection: { _id: 1 } })
        .limit(BATCH)
        .toArray();
      if (batch.length === 0) return;
      checkpoint();
      const ids = batch.map(({ _id }) => _id);
      await campaigns.updateMany({ _id: { $in: ids }, ...without }, { $set: { settledAt: null } });
      done += batch.length;
      say(`${done} of ${Math.max(done, total)} campaigns`);
    }
  },
};
