import { describe, it } from 'vitest';
import { INNER_TIERS } from './programs.js';
import { lateScoring, servedScoring, twinServers } from './served-scoring.js';

it.skipIf(INNER_TIERS.length > 0)('no other tier holds here than those of scoring.test.ts', () => undefined);
describe.each(INNER_TIERS)('served scoring, tier %s', servedScoring);
describe.each(INNER_TIERS)('twin servers, tier %s', twinServers);
describe.concurrent.each(INNER_TIERS)('late scoring, tier %s', lateScoring);
