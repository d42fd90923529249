import { describe, it } from 'vitest';
import { INNER_TIERS } from './programs.js';
import { lacks } from '../lacks.js';
import { lateScoring, servedScoring, twinServers } from './served-scoring.js';

const isOne = lacks(INNER_TIERS.length === 0, 'scoring at other tiers than those of scoring.test.ts');
// a file without a test would fail
it.skipIf(!isOne)('no other tier holds here', () => undefined);
describe.each(INNER_TIERS)('served scoring, tier %s', servedScoring);
describe.each(INNER_TIERS)('twin servers, tier %s', twinServers);
describe.concurrent.each(INNER_TIERS)('late scoring, tier %s', lateScoring);
