import { sessionDocument } from '../../src/lineage/documents/session.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BlobFact, Checked, ServerSide, StoreFacts } from '../../src/analysis/audit/facts.js';
import { checkDigests } from '../../src/analysis/audit/digests.js';
import { checkFences } from '../../src/analysis/audit/fences.js';
import { checkMeasurements } from '../../src/analysis/audit/measurements.js';
import { checkOutcomes } from '../../src/analysis/audit/outcomes.js';
import { checkReplies } from '../../src/analysis/audit/replies.js';
import { sha256, treeDigest } from '../../src/domain/digest.js';
import { unmeasured } from '../../src/domain/trial/outcome.js';
import type { CampaignState } from '../../src/domain/statuses.js';
import { NOTHING } from '../../src/lineage/budgets/budgets.js';
import type { LedgerDocument } from '../../src/lineage/documents/ledger.js';
import type { TrialDocument } from '../../src/lineage/documents/trial.js';
import {
  abouts,
  AT,
  ended,
  factsOf,
  OWNER,
  replicateOf,
  result,
  rowOf,
  readOf,
  SNAPSHOT,
  trialOf,
} from '../builders/audited-facts.js';

describe('invariant 1', () => {
  it('knows every way in which an end can be half stored, and allows one that has not come', () => {
    const cases: [Partial<TrialDocument>, CampaignState, boolean][] = [
      [{}, 'running', true],
      [{}, 'finished', false],
      [ended, 'finished', true],
      [{ ...ended, outcome: null }, 'running', false],
      [{ ...ended, outcome: unmeasured('keep', '') }, 'running', false],
      [{ ...ended, stage: 'training' }, 'running', false],
      [{ ...ended, endedAt: null }, 'running', false],
      [{ stage: 'ended' }, 'running', false],
      [{ outcome: unmeasured('crash', '') }, 'running', false],
    ];
    for (const [trial, state, holds] of cases) {
      const found = checkOutcomes(factsOf({ trials: readOf(trialOf(1, trial)) }, state));
      expect([trial, state, found.violations.length === 0]).toEqual([trial, state, holds]);
    }
  });

  it('finds a status that was another one when it was counted', () => {
    const trials = readOf(trialOf(1, ended));
    expect(abouts(checkOutcomes(factsOf({ trials, statuses: new Map([[1, 'crash' as const]]) })))).toEqual(
      [],
    );
    expect(abouts(checkOutcomes(factsOf({ trials, statuses: new Map([[1, 'keep' as const]]) })))).toEqual([
      't00001',
    ]);
  });

  it('asks both systems: an open trial needs a workflow, and a workflow a trial and a running campaign', () => {
    const facts = factsOf({ trials: readOf(trialOf(1), trialOf(2), trialOf(3)) });
    const server: ServerSide = {
      open: new Map([
        [1, { trial: 'running', lane: 'closed' }],
        [2, { trial: 'missing', lane: 'running' }],
        [3, { trial: 'closed', lane: 'running' }],
      ]),
      running: [
        { id: 'c/t00001', trial: 1 },
        { id: 'c/opt-1', trial: null },
        { id: 'c/t00009', trial: 9 },
      ],
    };
    expect(abouts(checkOutcomes({ ...facts, server }))).toEqual(['t00003', 'c/t00009']);
    const over = factsOf({ trials: readOf(trialOf(1, ended)) }, 'stopped');
    const late = { open: new Map(), running: [{ id: 'c/opt-1', trial: null }] } as const;
    expect(abouts(checkOutcomes({ ...over, server: late }))).toEqual(['c/opt-1']);
    expect(checkOutcomes(over).notExamined).toEqual([{ what: 'workflows', why: 'not asked' }]);
  });
});

describe('invariant 2', () => {
  it('finds exactly the numbers that were given and are gone', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        fc.uniqueArray(fc.nat(30), { maxLength: 6 }),
        (last, gone) => {
          const lost = gone.filter((number) => number < last).sort((a, b) => a - b);
          const numbers = Array.from({ length: last + 1 }, (_, number) => number).filter(
            (n) => !lost.includes(n),
          );
          const trials = numbers.map((number, at) => trialOf(number, { slot: `${OWNER}/d/${at}` }));
          const facts = factsOf({
            trials: readOf(...trials),
            counter: { number: last, counted: 0, returned: [] },
          });
          const labels = lost.map((number) => `t${String(number).padStart(5, '0')}`);
          expect(abouts(checkMeasurements(facts))).toEqual(labels);
        },
      ),
    );
  });

  it('remembers a last number by the session that submitted it, and finds a place that is missing', () => {
    const session = sessionDocument.parse({
      _id: `${OWNER}/opt-1/0`,
      owner: OWNER,
      role: 'opt',
      lane: 'opt-1',
      index: 0,
      base: 0,
      snapshot: SNAPSHOT,
      system: SNAPSHOT,
      roleStart: null,
      cache: '5m' as const,
      opening: SNAPSHOT,
      submitted: [2],
      openedAt: AT,
      closedAt: null,
      closedBecause: null,
    });
    const trials = readOf(trialOf(0), trialOf(1));
    expect(abouts(checkMeasurements(factsOf({ trials, sessions: readOf(session) })))).toEqual(['t00002']);
    const places = readOf(trialOf(0), trialOf(1, { slot: `${OWNER}/c/2` }));
    expect(abouts(checkMeasurements(factsOf({ trials: places })))).toEqual(['place 1']);
    const counter = { number: 1, counted: 1, returned: [0, 7] };
    expect(abouts(checkMeasurements(factsOf({ trials: readOf(trialOf(0)), counter })))).toContain('t00007');
  });

  it('allows other seeds, other classes of hosts and controls', () => {
    const more = [{ index: 1, seed: 2 }, { hostClass: 'other' }, { purpose: 'control' as const, index: 3 }];
    const replicates = readOf(replicateOf(), ...more.map(replicateOf));
    expect(abouts(checkMeasurements(factsOf({ replicates })))).toEqual([]);
    const twice = readOf(replicateOf(), replicateOf({ index: 1 }));
    expect(abouts(checkMeasurements(factsOf({ replicates: twice })))).toHaveLength(1);
  });
});

describe('invariant 3', () => {
  const session = `${OWNER}/opt-1/0`;
  const key = `${session}/0`;
  const turn = (attempts: number, chosen: number | null) =>
    readOf({ _id: key, session, turn: 0, attempts, chosen, at: AT });
  const reply = (attempt: number) => ({ _id: `${key}/${attempt}`, session, turn: 0, attempt, at: AT });
  const some = { microUsd: 5, acceleratorMs: 0, tokens: 7 };
  const request = (attempt: number, more: Partial<LedgerDocument>) =>
    rowOf(`${key}/${attempt}`, some, { what: 'model', trial: null, ...more });
  const money = (...rows: LedgerDocument[]) => ({
    before: null,
    rows: readOf(...rows),
    after: null,
    still: true,
  });

  it.each<[string, Partial<StoreFacts>, number]>([
    ['a turn in flight', { turns: turn(1, null) }, 0],
    ['a used reply', { turns: turn(1, 1), replies: readOf(reply(1)), money: money(request(1, {})) }, 0],
    [
      'a lost request and a used reply',
      {
        turns: turn(2, 2),
        replies: readOf(reply(2)),
        money: money(request(1, { certainty: 'unknown' }), request(2, {})),
      },
      0,
    ],
    [
      'a request that was refused',
      { turns: turn(1, null), money: money(request(1, { certainty: 'unpaid', spent: NOTHING })) },
      0,
    ],
    [
      'a used reply that is not stored',
      { turns: turn(1, 1), money: money(request(1, { certainty: 'unknown' })) },
      1,
    ],
    ['a known cost without its reply', { turns: turn(1, null), money: money(request(1, {})) }, 1],
    ['an unpaid reply', { turns: turn(1, 1), replies: readOf(reply(1)) }, 1],
    [
      'a lost request that counts too little',
      { turns: turn(1, null), money: money(request(1, { certainty: 'unknown', spent: NOTHING })) },
      1,
    ],
    [
      'an unpaid one that counts',
      { turns: turn(1, null), money: money(request(1, { certainty: 'unpaid' })) },
      1,
    ],
    [
      'a trial of a turn without a reply',
      { turns: turn(1, null), trials: readOf(trialOf(1, { session, turn: 0 })) },
      1,
    ],
  ])('judges %s', (_, store, found) => {
    expect(checkReplies(factsOf(store)).violations).toHaveLength(found);
  });
});

describe('invariant 4', () => {
  it('takes every result of the newest claim at its time, and no other', () => {
    const fence = fc.integer({ min: 0, max: 6 });
    fc.assert(
      fc.property(fence, fence, fence, (claims, trained, evaluated) => {
        const replicate = replicateOf({
          fence: claims,
          trained: result(trained),
          evaluated: result(evaluated),
        });
        const holds = trained >= 1 && trained <= evaluated && evaluated <= claims;
        expect(checkFences(factsOf({ replicates: readOf(replicate) })).violations.length === 0).toBe(holds);
      }),
    );
  });

  it('finds a training that was charged under a later claim than that of its result', () => {
    const replicate = replicateOf({ fence: 3, trained: result(1), evaluated: result(3) });
    const check = (row: LedgerDocument): Checked =>
      checkFences(
        factsOf({
          replicates: readOf(replicate),
          money: { before: null, rows: readOf(row), after: null, still: true },
        }),
      );
    const some = { ...NOTHING, acceleratorMs: 5 };
    expect(check(rowOf(`${replicate._id}/1`, some)).violations).toEqual([]);
    expect(check(rowOf(`${replicate._id}/2`, NOTHING, { certainty: 'unpaid' })).violations).toEqual([]);
    expect(check(rowOf(`${replicate._id}/2`, some)).violations).toHaveLength(1);
    expect(check(rowOf(`${replicate._id}/4`, some)).violations).toHaveLength(1);
  });
});

describe('invariant 8', () => {
  it('compares every tree with its digest and counts bytes once', () => {
    const files = [{ path: 'a', sha256: sha256('a'), bytes: 1 }];
    const blob = (more: Partial<BlobFact>): BlobFact => {
      return { what: 'a', digest: sha256('a'), bytes: 1, wrong: null, first: true, ...more };
    };
    const digest = treeDigest(files);
    const whole = factsOf({
      trees: [{ what: 'tree', digest, files }],
      blobs: [blob({}), blob({ first: false, bytes: 9 })],
    });
    expect(checkDigests(whole)).toMatchObject({ examined: { trees: 1, files: 1, bytes: 1 }, violations: [] });
    const broken = factsOf({
      trees: [
        { what: 'gone', digest, files: null },
        { what: 'changed', digest, files: [{ path: 'b', sha256: sha256('a'), bytes: 1 }] },
      ],
      blobs: [blob({ what: 'bytes', wrong: 'its bytes have another digest' })],
    });
    expect(abouts(checkDigests(broken))).toEqual(['gone', 'changed', 'bytes']);
  });
});
