import { expect, it } from 'vitest';
import { wrongClaim } from '../../src/analysis/audit/claims.js';
import { claimOf } from '../../src/domain/decision/claim.js';
import type { ClaimDocument } from '../../src/lineage/decision-documents.js';
import type { ReplicateDocument } from '../../src/lineage/documents.js';
import { AT, factsOf, OWNER, replicateOf, result, sheaf, SNAPSHOT, trialOf } from './audited-facts.js';

const OTHER = 'b'.repeat(64);
const ARTIFACT = 'c'.repeat(64);
const run = (snapshot: string, index: number, loss: number): ReplicateDocument =>
  replicateOf({
    snapshot,
    index,
    purpose: 'claim',
    trained: { ...result(1), artifact: { digest: ARTIFACT, bytes: 0, files: [] } },
    evaluated: { ...result(1), metrics: { loss } },
  });
const scores = { start: [4, 4.1, 3.9], frontier: [2, 2.1, 2.2] };
const runs = [
  ...scores.start.map((loss, index) => run(SNAPSHOT, index, loss)),
  ...scores.frontier.map((loss, index) => run(OTHER, index, loss)),
];
const asked = { metric: 'loss', direction: 'minimize', confidence: 0.99 } as const;
const right: ClaimDocument = {
  _id: `${OWNER}/0`,
  owner: OWNER,
  number: 0,
  start: 0,
  frontier: 3,
  version: 2,
  runs: 3,
  ...asked,
  replicates: runs.map(({ _id }) => _id),
  sealed: runs.map(({ _id: replicate }) => ({ replicate, artifact: ARTIFACT })),
  result: claimOf({ ...asked, ...scores }),
  void: null,
  openedAt: AT,
  closedAt: AT,
};
const decided = [{ frontier: { version: 2, trial: 3 } }];
const { campaign } = factsOf().store;
const terms = { runs: 3, confidence: 0.99, error: 0.01, at: [] };
const store = {
  campaign: { ...campaign, frozen: { ...campaign.frozen, claim: terms } },
  replicates: sheaf(...runs),
  trials: sheaf(trialOf(0), trialOf(3, { snapshot: OTHER })),
};
const found = (
  more: Partial<ClaimDocument>,
  facts: Partial<typeof store> = {},
  decisions = decided,
): string => wrongClaim({ ...right, ...more }, { ...store, ...facts }, decisions).join('; ');

it('a claim whose numbers follow from its fresh runs is right, and so is one without a result', () => {
  expect(found({})).toBe('');
  expect(found({ result: null, closedAt: null, replicates: [], sealed: null })).toBe('');
  expect(found({ result: null, void: 'stopped', replicates: [], sealed: null })).toBe('');
});

it('a claim is wrong where its terms are not those of the campaign', () => {
  const offered = (more: Partial<typeof terms>): string => {
    const frozen = { ...campaign.frozen, claim: { ...terms, ...more } };
    return found({}, { campaign: { ...campaign, frozen } });
  };
  expect(offered({ runs: 4 })).toMatch(/it is of 3 runs, and the campaign's are of 4/);
  expect(offered({ confidence: 0.95 })).toMatch(/its confidence is 0\.99, .* 0\.95/);
  expect(found({ start: 3 })).toMatch(/compares with t00003 instead of the start/);
  expect(found({ number: 1 })).toMatch(/a run of another claim/);
});

it('a claim is wrong where a run was evaluated before all of them were trained, or on another artifact', () => {
  expect(found({ sealed: null })).toMatch(/claim-0\/h was evaluated before all runs of it were trained/);
  // a claim without a result rests on nothing, and has looked all the same
  const open = { result: null, closedAt: null, replicates: right.replicates.slice(0, 1) };
  expect(found({ ...open, sealed: null })).toMatch(/before all runs of it were trained$/);
  const untouched = runs.map((one) => ({ ...one, evaluated: null }));
  expect(found({ ...open, sealed: null }, { replicates: sheaf(...untouched) })).toBe('');
  expect(found({ sealed: (right.sealed ?? []).slice(1) })).toMatch(/^5 artifacts were sealed for it, of 6/);
  const other = (right.sealed ?? []).map((one, i) => (i === 0 ? { ...one, artifact: OTHER } : one));
  expect(found({ sealed: other })).toMatch(/was evaluated on another artifact than was sealed for it$/);
});

it('a claim is wrong by its frontier, its runs, its numbers or its end', () => {
  expect(found({}, {}, [])).toMatch(/no decision made t00003 the frontier 2/);
  expect(found({ version: 1 })).toMatch(/no decision made/);
  expect(found({ void: 'x' })).toMatch(/neither or both/);
  expect(found({ result: null })).toMatch(/neither or both/);
  expect(found({}, { replicates: sheaf(...runs.slice(1)) })).toMatch(/is not in the store/);
  expect(found({ replicates: right.replicates.slice(1) })).toMatch(/rests on 2 runs of the start, 3/);
  const searched = runs.map((one, i) => (i === 0 ? { ...one, purpose: 'search' as const } : one));
  expect(found({}, { replicates: sheaf(...searched) })).toMatch(/was not measured for it/);
  const result = claimOf({ ...asked, ...scores });
  expect(found({ result: { ...result, difference: result.difference - 1e-8 } })).toMatch(
    /^difference is stored/,
  );
  expect(found({ result: { ...result, difference: result.difference - 1e-11 } })).toBe('');
  expect(found({ result: { ...result, gained: false } })).toMatch(/^gained is stored as false/);
});
