import { describe, expect, it } from 'vitest';
import { claimRemark } from '../../src/analysis/statistics/claim-wording.js';
import { claimView } from '../../src/analysis/statistics/claim-view.js';
import { claimOf, type ClaimRuns } from '../../src/domain/decision/claim/claim.js';
import type { CampaignState } from '../../src/domain/statuses.js';
import type { ClaimDocument } from '../../src/lineage/documents/claim.js';
import { AT, factsOf, OWNER } from '../builders/audited-facts.js';

const NOISY = [2.305137714, 2.241089437, 2.370442819, 2.288613902];
const QUIET = [0.93345, 0.93207, 0.93233, 0.93044];
const FIXED = [0.93, 0.93, 0.93, 0.93];
const runsOf = (scores: readonly number[]): ClaimRuns['start'] =>
  scores.map((score, i) => ({ score, artifact: `${scores.join()} ${i}` }));

/** A campaign with the result of its claim. */
interface Case {
  start?: readonly number[];
  frontier?: readonly number[];
  deterministic?: boolean;
  /** True when the task has data for claims alone. */
  split?: boolean;
  pool?: string;
  decided?: number | null;
  state?: CampaignState;
  /** Other fields of the claim's document; null: there is none. */
  document?: Partial<ClaimDocument> | null;
}

function said({
  start = NOISY,
  frontier = QUIET,
  deterministic = false,
  split = true,
  pool = 'cpu',
  decided = 12,
  state = 'finished',
  document = {},
}: Case) {
  const { campaign } = factsOf().store;
  const runs = start.length;
  const claim = { runs, deterministic, confidence: 0.995, error: 0.01, at: [7] };
  const arms = { start: runsOf(start), frontier: runsOf(frontier) };
  const right: ClaimDocument = {
    ...{ _id: `${OWNER}/0`, owner: OWNER, number: 0, start: 0, frontier: 3, version: 2, rule: 2 },
    ...{ metric: 'loss', direction: 'minimize', runs, decided, confidence: 0.995 },
    ...{ replicates: [], sealed: null, void: null, openedAt: AT, closedAt: AT },
    result: claimOf({ direction: 'minimize', confidence: 0.995, ...arms }, { deterministic }),
    ...document,
  };
  const parts = { prepare: 'prepare.py', train: 'train/', search: 'search/' };
  const view = claimView(
    { frozen: { ...campaign.frozen, pool, claim }, state },
    document === null ? [] : [right],
    { data: split ? { ...parts, claim: 'claim/' } : parts },
  );
  return { view, remark: claimRemark(view, 'bits/byte') };
}

describe('what is said of a claim', () => {
  const selected = 'on which the search has selected 12 times';

  it.each<[what: string, of: Case, remark: string]>([
    [
      'with its error rate where the data is fresh',
      {},
      'claimed: t00003 against the start on 4 fresh seeds each: -1.37 bits/byte, 99.5 % interval -1.57 to -1.17; a search without any gain claims one with a probability of at most 0.5 %',
    ],
    [
      'with what selection on the same data does, and no error rate',
      { split: false },
      `claimed: t00003 against the start on 4 fresh seeds each: -1.37 bits/byte, 99.5 % interval -1.57 to -1.17; the seeds are fresh, but the data is that ${selected}: the interval covers the noise of runs, not this selection`,
    ],
    [
      'without a gain, on fresh data',
      { frontier: NOISY.map((score) => score + 0.001) },
      'no gain is claimed: t00003 against the start on 4 fresh seeds each: 0.001 bits/byte, 99.5 % interval -0.162 to 0.164',
    ],
    [
      'as one measurement where the task is deterministic',
      { start: [4], frontier: [1], deterministic: true },
      'one deterministic measurement: t00003 against the start: -3 bits/byte; on data that the search has not used',
    ],
    [
      'as one measurement of what the search has seen',
      { start: [4], frontier: [1], deterministic: true, split: false },
      `one deterministic measurement: t00003 against the start: -3 bits/byte; on the data ${selected}`,
    ],
    [
      'as one measurement that is no gain',
      { start: [4], frontier: [5], deterministic: true },
      'one deterministic measurement, no gain: t00003 against the start: 1 bits/byte; on data that the search has not used',
    ],
    [
      'of a seed that changes nothing',
      { frontier: FIXED },
      'one deterministic measurement (seed-fixed), no interval: t00003 against the start: -1.37 bits/byte; its 4 fresh runs do not depend on the seed, as those of the start do, and count as one; on data that the search has not used',
    ],
    [
      'of runs without any spread',
      { start: [2, 2], frontier: [1, 1], split: false, decided: 1 },
      'no interval: t00003 against the start: -1 bits/byte; none of the 2 fresh runs of either scored otherwise than the rest; on the data on which the search has selected once',
    ],
    [
      'before it is measured',
      { state: 'running', document: null },
      'what is adopted is not claimed: at the end the start and the frontier are measured 4 times each on fresh seeds',
    ],
    [
      'before it is measured once',
      { state: 'running', document: null, start: [4], frontier: [1], deterministic: true },
      'what is adopted is not claimed: at the end the start and the frontier are measured once each',
    ],
    [
      'while it is measured once',
      {
        ...{ state: 'claiming', start: [4], frontier: [1], deterministic: true },
        document: { result: null, closedAt: null },
      },
      'what is adopted is not claimed yet: a fresh run of the start and t00003 each is under way',
    ],
    ['of one that is void', { document: { result: null, void: 'stopped' } }, 'nothing is claimed: stopped'],
  ])('%s', (_, of, remark) => {
    expect(said(of).remark).toBe(remark);
  });

  it('has an error rate only where one holds, and a reason elsewhere', () => {
    const once = { start: [4], frontier: [1], deterministic: true };
    const stated = ({ view: { error, errorReason, confidence } }: ReturnType<typeof said>) =>
      error === null ? [confidence, errorReason] : [confidence, error, errorReason];
    const selection =
      'the interval covers the noise of runs, not the selection on the data that it is measured on';
    const noNoise = 'without noise from run to run there is no interval that could have an error rate';
    expect(stated(said({}))).toEqual([0.995, 0.005, null]);
    expect(stated(said({ split: false }))).toEqual([0.995, selection]);
    for (const split of [true, false]) {
      expect(stated(said({ ...once, split }))).toEqual([null, noNoise]);
      expect(stated(said({ frontier: FIXED, split }))).toEqual([null, noNoise]);
      expect(said({ ...once, split }).remark).not.toMatch(/probability|%/);
      expect(said({ frontier: FIXED, split }).remark).not.toMatch(/probability|%/);
    }
    // known before anything is measured
    const due = { state: 'running', document: null } as const;
    expect(stated(said(due))).toEqual([0.995, 0.005, null]);
    expect(stated(said({ ...due, split: false }))).toEqual([0.995, selection]);
    expect(stated(said({ ...due, ...once }))).toEqual([null, noNoise]);
  });

  it('says which data it is measured on, and how often the search had decided on that', () => {
    expect(said({}).view).toMatchObject({ data: 'claim', decided: 12 });
    expect(said({ split: false }).view).toMatchObject({ data: 'search', decided: 12 });
    // stored before this was counted
    expect(said({ split: false, decided: null }).remark).toMatch(
      /on which the search has selected: the interval/,
    );
  });

  it('offers a control of a quiet recipe where hosts are not exact', () => {
    const { note } = said({ pool: 'gpu' }).view;
    expect(note).toMatch(/^the frontier's runs differ 43(\.\d)? times less than the start's/);
    expect(note).toMatch(/4 runs of it under one repeated seed beside 4 under different seeds/);
    expect(said({ pool: 'cpu' }).view.note).toBeNull();
    expect(said({ pool: 'gpu', frontier: NOISY.map((score) => score / 9) }).view.note).toBeNull();
    expect(said({ pool: 'gpu', frontier: NOISY.map((score) => score / 11) }).view.note).not.toBeNull();
    expect(said({ pool: 'gpu', frontier: FIXED }).view.note).toBeNull();
    expect(said({ pool: 'gpu', document: null }).view.note).toBeNull();
  });
});
