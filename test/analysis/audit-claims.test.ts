import { expect, it } from 'vitest';
import { wrongClaim } from '../../src/analysis/audit/claims.js';
import { claimOf, intervalOf, type ClaimResult } from '../../src/domain/decision/claim/claim.js';
import type { ClaimDocument } from '../../src/lineage/documents/claim.js';
import type { ReplicateDocument } from '../../src/lineage/documents/replicate.js';
import {
  AT,
  factsOf,
  OWNER,
  replicateOf,
  result as published,
  readOf,
  SNAPSHOT,
  trialOf,
} from '../builders/audited-facts.js';

const OTHER = 'b'.repeat(64);
const ARTIFACT = 'c'.repeat(64);
const run = (snapshot: string, index: number, loss: number): ReplicateDocument =>
  replicateOf({
    snapshot,
    index,
    purpose: 'claim',
    trained: { ...published(1), artifact: { digest: ARTIFACT, bytes: 0, files: [], onHost: null } },
    evaluated: { ...published(1), metrics: { loss } },
  });
const scores = { start: [4, 4.1, 3.9], frontier: [2, 2.1, 2.2] };
const measured = (all: readonly number[]) => all.map((score) => ({ score, artifact: ARTIFACT }));
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
  rule: 2,
  decided: 3,
  ...asked,
  replicates: runs.map(({ _id }) => _id),
  sealed: runs.map(({ _id: replicate }) => ({ replicate, artifact: ARTIFACT })),
  result: intervalOf({ ...asked, ...scores }),
  void: null,
  openedAt: AT,
  closedAt: AT,
};
const decided = [1, 1, 1, 2].map((version) => ({
  frontier: { version, trial: version === 2 ? 3 : 0, sequence: version === 2 ? 4 : 1 },
}));
const { campaign } = factsOf().store;
const terms = { runs: 3, deterministic: false, confidence: 0.99, error: 0.01, at: [] };
const store = {
  campaign: { ...campaign, frozen: { ...campaign.frozen, claim: terms } },
  replicates: readOf(...runs),
  trials: readOf(trialOf(0), trialOf(3, { snapshot: OTHER })),
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
  // a claim without a result has no inputs, and has still used the data
  const open = { result: null, closedAt: null, replicates: right.replicates.slice(0, 1) };
  expect(found({ ...open, sealed: null })).toMatch(/before all runs of it were trained$/);
  const untouched = runs.map((one) => ({ ...one, evaluated: null }));
  expect(found({ ...open, sealed: null }, { replicates: readOf(...untouched) })).toBe('');
  expect(found({ sealed: (right.sealed ?? []).slice(1) })).toMatch(/^5 artifacts were sealed for it, of 6/);
  const other = (right.sealed ?? []).map((one, i) => (i === 0 ? { ...one, artifact: OTHER } : one));
  expect(found({ sealed: other })).toMatch(/was evaluated on another artifact than was sealed for it$/);
});

it('a claim is wrong by its frontier, its runs, its numbers or its end', () => {
  expect(found({}, {}, [])).toMatch(/no decision made t00003 the frontier 2/);
  expect(found({ version: 1 })).toMatch(/no decision made/);
  expect(found({ void: 'x' })).toMatch(/neither or both/);
  expect(found({ result: null })).toMatch(/neither or both/);
  expect(found({}, { replicates: readOf(...runs.slice(1)) })).toMatch(/is not in the store/);
  expect(found({ replicates: right.replicates.slice(1) })).toMatch(/rests on 2 runs of the start, 3/);
  const searched = runs.map((one, i) => (i === 0 ? { ...one, purpose: 'search' as const } : one));
  expect(found({}, { replicates: readOf(...searched) })).toMatch(/was not measured for it/);
  const result = intervalOf({ ...asked, ...scores });
  expect(found({ result: { ...result, difference: result.difference - 1e-8 } })).toMatch(
    /^difference is stored/,
  );
  expect(found({ result: { ...result, difference: result.difference - 1e-11 } })).toBe('');
  expect(found({ result: { ...result, gained: false } })).toMatch(/^gained is stored as false/);
});

it('a claim is wrong that counts other decisions before it than there were', () => {
  expect(found({ decided: 2 })).toBe('2 candidates had been decided on before it, and not 3 to 3');
  expect(found({ decided: 4 })).toMatch(/^4 candidates/);
  expect(found({ decided: null })).toBe('');
});

/** Audits a claim whose runs have these scores and artifacts. */
function foundOf(
  arms: Record<'start' | 'frontier', { score: number; artifact: string }[]>,
  result: ClaimResult,
  { rule = 2, deterministic = false }: { rule?: 1 | 2; deterministic?: boolean } = {},
): string {
  const of = (snapshot: string, arm: { score: number; artifact: string }[]) =>
    arm.map(({ score, artifact }, index) => {
      const trained = { ...published(1), artifact: { digest: artifact, bytes: 0, files: [], onHost: null } };
      return { ...run(snapshot, index, score), trained };
    });
  const all = [...of(SNAPSHOT, arms.start), ...of(OTHER, arms.frontier)];
  const frozen = { ...campaign.frozen, claim: { ...terms, runs: arms.start.length, deterministic } };
  const sealed = all.map(({ _id: replicate, trained }) => ({ replicate, artifact: trained.artifact.digest }));
  return found(
    { rule, runs: arms.start.length, replicates: all.map(({ _id }) => _id), sealed, result },
    { campaign: { ...campaign, frozen }, replicates: readOf(...all) },
  );
}

it('a claim without an interval is recomputed as one', () => {
  const start = scores.start.map((score, i) => ({ score, artifact: `${i}`.repeat(64) }));
  const same = measured([2, 2, 2]);
  const terms = { direction: 'minimize', confidence: 0.99 } as const;
  const fixed = claimOf({ ...terms, start, frontier: same }, { deterministic: false });
  expect(fixed).toMatchObject({ kind: 'deterministic', because: 'seed-fixed' });
  expect(foundOf({ start, frontier: same }, fixed)).toBe('');
  expect(foundOf({ start, frontier: measured([2, 2, 2.1]) }, fixed)).toMatch(/recomputed it is/);
  const noisy = [2, 2.2, 2.1].map((score, i) => ({ score, artifact: `${i + 3}`.repeat(64) }));
  expect(foundOf({ start, frontier: noisy }, fixed)).toMatch(/^kind is stored as "deterministic"/);
  const interval = intervalOf({ ...terms, start: scores.start, frontier: [2, 2, 2] });
  expect(foundOf({ start, frontier: same }, interval)).toMatch(/^kind is stored as "interval"/);
  expect(foundOf({ start, frontier: same }, interval, { rule: 1 })).toBe('');

  const once = { start: measured([4]), frontier: measured([2]) };
  const declared = claimOf({ ...terms, ...once }, { deterministic: true });
  expect(foundOf(once, declared, { deterministic: true })).toBe('');
  expect(foundOf(once, { ...declared, difference: -3 }, { deterministic: true })).toMatch(/^difference/);
  // only a task that declares itself deterministic is measured once
  const threefold = { start, frontier: noisy };
  const taken = claimOf({ ...terms, ...threefold }, { deterministic: true });
  expect(foundOf(threefold, taken)).toMatch(/^kind is stored as "deterministic"/);
});
