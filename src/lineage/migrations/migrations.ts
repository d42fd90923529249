import { unsettledCampaigns } from './001-unsettled-campaigns.js';
import type { Migration } from './migration.js';

/** All migrations, in order. A released one is never changed. */
export const MIGRATIONS: readonly Migration[] = [unsettledCampaigns];
