import { inject } from 'vitest';
import { storeContract } from './contract.js';

storeContract('found for the tests', () => ({
  url: inject('storeUrl'),
  database: `contract_${process.pid}`,
}));

const another = process.env.ASSAY_TEST_MONGODB_URL;
if (another !== undefined)
  storeContract('of ASSAY_TEST_MONGODB_URL', () => ({ url: another, database: `contract_${process.pid}` }));
