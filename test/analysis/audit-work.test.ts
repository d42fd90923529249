import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HostSide, StoreFacts } from '../../src/analysis/audit/facts.js';
import { checkDecisions } from '../../src/analysis/audit/decisions.js';
import { checkHost, checkLeases } from '../../src/analysis/audit/leases.js';
import { checkLedger } from '../../src/analysis/audit/ledger.js';
import { differences } from '../../src/domain/decision/records/recompute.js';
import { RULES, type DecisionInputs, type Rule } from '../../src/domain/decision/records/record.js';
import { decideBy } from '../../src/domain/decision/rules.js';
import type { InputsV1 } from '../../src/domain/decision/v1/record.js';
import { sha256 } from '../../src/domain/digest.js';
import { unmeasured } from '../../src/domain/trial/outcome.js';
import { NOTHING } from '../../src/lineage/budgets/budgets.js';
import { decisionOn } from '../../src/lineage/decisions/decisions.js';
import { decisionV1On } from '../../src/lineage/decisions/decisions-v1.js';
import {
  decisionDocument,
  type DecisionDocument,
  type DecisionV2Document,
} from '../../src/lineage/documents/decision.js';
import { inputsOf as decisionInputs } from '../builders/decision.js';
import type { Amounts, BudgetDocument } from '../../src/lineage/documents/budget.js';
import type { LedgerDocument } from '../../src/lineage/documents/ledger.js';
import { frozenOf } from '../builders/frozen-campaign.js';
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
  trialOf,
} from '../builders/audited-facts.js';

describe('invariant 5', () => {
  const worker = '100-1';
  const host = (more: Partial<HostSide>): HostSide => ({
    name: 'h',
    workers: [{ name: worker, living: true, folders: [] }],
    runs: [],
    groups: [],
    holders: [],
    accelerators: null,
    ...more,
  });
  const holder = { host: 'h', worker: 'w', what: 'train', run: worker, since: AT };
  const atWork = replicateOf({ fence: 2, holder });
  const run = (fence: number, phase: string, living = true) => ({
    pid: 7,
    worker,
    living,
    of: `${atWork._id}/${fence}/${phase}`,
    acceleratorBytes: 5,
  });
  const store = { replicates: readOf(atWork), trials: readOf(trialOf(1, { replicates: [atWork._id] })) };
  const found = (of: Partial<StoreFacts>, here: HostSide): string[] =>
    abouts(checkLeases({ ...factsOf(of), host: here }));

  it('allows work under a slot, be it overtaken, and evaluations without one', () => {
    expect(found(store, host({ runs: [run(2, 'train')], holders: [100] }))).toEqual([]);
    expect(found(store, host({ runs: [run(1, 'train')], holders: [100] }))).toEqual([]);
    expect(found(store, host({ runs: [run(2, 'evaluate')] }))).toEqual([]);
  });

  it('finds training without a slot, and whatever is left of an attempt that is over', () => {
    expect(found(store, host({ runs: [run(2, 'pack')] }))).toEqual(['process 7']);
    const folder = `${sha256(atWork._id).slice(0, 20)}-2`;
    const left = host({
      runs: [run(2, 'train')],
      holders: [100],
      workers: [{ name: worker, living: true, folders: [folder, 'check-1'] }],
    });
    const both = ['process 7', `folder ${worker}/${folder}`];
    const over = { ...store, replicates: readOf({ ...atWork, trained: result(2) }) };
    expect(found(store, left)).toEqual([]);
    expect(found(over, left)).toEqual(both);
    expect(found({ ...store, replicates: readOf({ ...atWork, holder: null }) }, left)).toEqual(both);
    const cancelled = { ...store, trials: readOf(trialOf(1, { ...ended, replicates: [atWork._id] })) };
    expect(found(cancelled, left)).toEqual(both);
    expect(abouts(checkLeases({ ...factsOf(store, 'finished'), host: left }))).toEqual(both);
  });

  it('finds what dead workers have left, once', () => {
    const dead = host({
      workers: [{ name: worker, living: false, folders: [] }],
      runs: [run(2, 'train', false)],
      groups: ['/sys/fs/cgroup/assay.1.100-1.0'],
    });
    expect(abouts(checkHost(dead))).toEqual([`folder of worker ${worker}`, 'process 7', ...dead.groups]);
    expect(checkHost(dead).violations[1]?.says).toContain('holds 5 bytes of an accelerator');
    expect(found(store, dead)).toEqual([]);
    // under another home, so that only its campaign knows it
    const elsewhere = { ...dead, workers: [], groups: [] };
    expect(abouts(checkHost(elsewhere))).toEqual([]);
    expect(found(store, elsewhere)).toEqual(['process 7']);
  });
});

describe('invariant 6', () => {
  interface State {
    budget: BudgetDocument;
    rows: LedgerDocument[];
  }
  /** The store's steps of one spending, each of which is one write. */
  type Step = (state: State) => void;
  const empty = (): BudgetDocument => ({
    _id: OWNER,
    limits: frozenOf('c', OWNER).limits,
    revision: 0,
    changes: [],
    held: NOTHING,
    open: {},
  });
  const add = (a: Amounts, b: Amounts, sign: 1 | -1): Amounts => ({
    microUsd: a.microUsd + sign * b.microUsd,
    acceleratorMs: a.acceleratorMs + sign * b.acceleratorMs,
    tokens: a.tokens + sign * b.tokens,
  });
  const spending = (key: string, reserved: Amounts, spent: Amounts): Step[] => [
    (state) => {
      const open = { key, hold: `h ${key}`, trial: null, reserved, role: 'opt', what: 'train', since: AT };
      const { budget } = state;
      state.budget = {
        ...budget,
        held: add(budget.held, reserved, 1),
        open: { ...budget.open, [key]: open },
      };
    },
    (state) => {
      state.rows = [...state.rows, rowOf(key, spent, { reserved, hold: `h ${key}` })];
    },
    (state) => {
      const { [key]: _, ...open } = state.budget.open;
      state.budget = { ...state.budget, held: add(add(state.budget.held, reserved, -1), spent, 1), open };
    },
  ];
  const unit = fc.nat(50);
  const amounts = fc.record({ microUsd: unit, acceleratorMs: unit, tokens: unit });
  /** Interleaved writes, and the moments at which budget, ledger and budget are read. */
  const story = fc.array(fc.tuple(amounts, amounts), { minLength: 1, maxLength: 8 }).chain((spendings) =>
    fc.record({
      spendings: fc.constant(spendings),
      order: fc.array(fc.nat(spendings.length - 1), { maxLength: 24 }),
      looks: fc.tuple(fc.nat(24), fc.nat(24), fc.nat(24)),
    }),
  );

  function look({ spendings, order, looks }: typeof story extends fc.Arbitrary<infer T> ? T : never) {
    const left = spendings.map(([reserved, spent], at) => spending(`${OWNER}/k${at}`, reserved, spent));
    let state: State = { budget: empty(), rows: [] };
    const states = [state];
    for (const which of order) {
      const step = left[which]?.shift();
      if (step === undefined) continue;
      state = { ...state };
      step(state);
      states.push(state);
    }
    const [first, second, third] = looks.map((at) => Math.min(at, states.length - 1)).sort((a, b) => a - b);
    const seen = [first, second, third].map((at) => states[at ?? 0] ?? state);
    const [before, middle, after] = [seen[0] ?? state, seen[1] ?? state, seen[2] ?? state];
    const still = first === third;
    return { before: before.budget, rows: readOf(...middle.rows), after: after.budget, still };
  }

  it('gives no false alarm, in whatever order money is spent while it is read', () => {
    fc.assert(
      fc.property(story, (told) => {
        const trials = readOf(trialOf(1));
        expect(checkLedger(factsOf({ trials, money: look(told) })).violations).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('finds any amount that the two do not agree on where nothing moves', () => {
    const by = fc.integer({ min: -9, max: 9 }).filter((difference) => difference !== 0);
    fc.assert(
      fc.property(
        story,
        by,
        fc.constantFrom('microUsd', 'acceleratorMs', 'tokens'),
        (told, difference, which) => {
          const [, , at] = told.looks;
          const money = look({ ...told, looks: [at, at, at] });
          const held = { ...money.after.held, [which]: money.after.held[which] + difference };
          const wrong = { ...money.after, held };
          const facts = factsOf({ money: { ...money, before: wrong, after: wrong } });
          expect(abouts(checkLedger(facts))).toEqual([`spent ${which}`]);
        },
      ),
    );
  });

  it('allows a reservation while a campaign runs, and none at its end', () => {
    const state = { budget: empty(), rows: [] };
    spending(`${OWNER}/k`, { ...NOTHING, tokens: 3 }, NOTHING)[0]?.(state);
    const money = { before: state.budget, rows: readOf<LedgerDocument>(), after: state.budget, still: true };
    expect(abouts(checkLedger(factsOf({ money })))).toEqual([]);
    expect(abouts(checkLedger(factsOf({ money }, 'finished')))).toEqual([`${OWNER}/k`]);
  });
});

describe('invariant 7', () => {
  const score = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  const direction = fc.constantFrom('minimize' as const, 'maximize' as const);

  const inputsOf = (which: 'minimize' | 'maximize', scores: readonly number[]): DecisionInputs =>
    decisionInputs(scores, { direction: which });
  const of = (trial: number, rule: Rule = 'posterior') => ({ owner: OWNER, trial, rule });
  const STARTED = [2, 2.1, 1.9];
  const following = (
    before: DecisionV2Document,
    scores: readonly number[],
    more: Partial<DecisionInputs> = {},
  ): DecisionInputs => ({
    ...inputsOf(before.inputs.direction, scores),
    frontier: before.frontier,
    knowledge: before.knowledge,
    parent: 0,
    ...more,
  });

  it('recomputes every decision, and finds a number that is off by more than 1e-9', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...RULES),
        direction,
        fc.array(score, { minLength: 1, maxLength: 5 }),
        score,
        (rule, which, start, own) => {
          const first = decisionOn(of(0, rule), inputsOf(which, start), null);
          const inputs = following(first, [own]);
          const made = decideBy(rule, 1, inputs).result;
          const off = (stored: object): string[] => differences(decideBy(rule, 1, inputs).result, stored);
          expect(off(made)).toEqual([]);
          expect(off({ ...made, adopt: !made.adopt })).toHaveLength(1);
          for (const name of ['delta', 'gain', 'sd'] as const) {
            const value = made[name];
            if (value === null) continue;
            const size = Math.max(1, Math.abs(value));
            expect(off({ ...made, [name]: value + 1e-10 * size })).toEqual([]);
            expect(off({ ...made, [name]: value + 1e-8 * size })).toHaveLength(1);
          }
        },
      ),
    );
  });

  /** Finds the violations of decisions in a campaign with the rule of the first of them. */
  const said = (first: DecisionDocument, ...decisions: DecisionDocument[]): string => {
    const { campaign } = factsOf().store;
    const frozen = { ...campaign.frozen, rule: first.rule, ruleVersion: first.version };
    const store = { campaign: { ...campaign, frozen }, decisions: readOf(first, ...decisions) };
    return checkDecisions(factsOf(store))
      .violations.map(({ says }) => says)
      .join();
  };

  it('wants every decision to know what those before it have left', () => {
    const start = decisionOn(of(0), inputsOf('minimize', STARTED), null);
    const second = decisionOn(of(1), following(start, [1]), start);
    expect(second.result.adopt).toBe(true);
    const about = (later: DecisionDocument): string => said(start, later);
    expect(about(second)).not.toMatch(/have left|place in the sequence|is stored/);
    const changed = (more: Partial<DecisionInputs>) => decisionOn(of(1), following(start, [1], more), start);
    expect(about(changed({ frontier: { ...start.frontier, score: 3 } }))).toContain('another frontier');
    expect(about(changed({ knowledge: { ...start.knowledge, runs: 9 } }))).toContain('noise and effects');
    const { beliefs } = start.knowledge;
    if (beliefs === null) throw new Error('the start has no beliefs');
    const surer = { ...start.knowledge, beliefs: { ...beliefs, unit: beliefs.unit / 2 } };
    expect(about(changed({ knowledge: surer }))).toContain('noise and effects');
    expect(about({ ...second, sequence: 7 })).toContain('place in the sequence');
    expect(about({ ...second, rule: 'threshold' })).toContain('version 2 of the rule threshold');
    const left = { ...second.frontier, trial: 0 };
    expect(about({ ...second, frontier: left })).toContain('frontier.trial is stored as 0');
    const knowledge = { ...second.knowledge, runs: second.knowledge.runs + 1 };
    expect(about({ ...second, knowledge })).toContain('knowledge.runs is stored');
    const believed = second.result.believed.map((one) => ({ ...one, mean: one.mean - 1 }));
    expect(about({ ...second, result: { ...second.result, believed } })).toContain('result.believed.0.mean');
  });

  it('recomputes decisions of the first version by theirs, and takes no mixture of both', () => {
    const inputs: InputsV1 = {
      direction: 'minimize',
      metric: 'loss',
      scores: STARTED,
      replicates: [],
      score: 2,
      eligible: true,
      shared: null,
      guards: [],
      frontier: null,
      knowledge: null,
      parent: null,
      frontierNode: null,
    };
    const start = decisionV1On(of(0), inputs, null);
    const [own] = start.result.nodes;
    if (own === undefined) throw new Error('the start has no belief');
    const { frontier, knowledge } = start;
    const parent = { trial: 0, mean: own.mean, variance: own.variance };
    const next: InputsV1 = { ...inputs, scores: [1], score: 1, frontier, knowledge, parent };
    const second = decisionV1On(of(1), next, start);
    expect(said(start, second)).not.toMatch(/have left|place in the sequence|is stored|version/);
    expect(said(start, { ...second, touches: [] })).toContain('touches.0 is stored');
    const other = decisionV1On(of(1), { ...next, parent: { ...parent, mean: 5 } }, start);
    expect(said(start, other)).toContain('believed of t00000');
    const { version, ...unnamed } = start;
    expect(version).toBe(1);
    expect(decisionDocument.parse(unnamed)).toEqual(start);
    const mixed = decisionOn(of(1), inputsOf('minimize', [1]), start);
    expect(said(start, mixed)).toContain('version 2 of the rules, and the one before it by 1');
  });

  it('wants inputs that exist and say the same, and a trial that obeys', () => {
    const measured = replicateOf({ trained: result(1), evaluated: { ...result(1), metrics: { loss: 2 } } });
    const inputs = { ...inputsOf('minimize', [2]), replicates: [measured._id] };
    const decision = decisionOn(of(1, 'greedy'), inputs, null);
    const kept = { ...unmeasured('keep', ''), score: 2, decision: decision._id };
    const trial = trialOf(1, { ...ended, status: 'keep', outcome: kept });
    const right = { decisions: readOf(decision), replicates: readOf(measured), trials: readOf(trial) };
    const found = (store: Partial<StoreFacts>): string[] =>
      abouts(checkDecisions(factsOf({ ...right, ...store })));
    const on = ['decision on t00001'];
    const wrong = (more: Partial<typeof inputs>) => readOf({ ...decision, inputs: { ...inputs, ...more } });
    expect(found({})).toEqual([]);
    expect(found({ trials: readOf({ ...trial, parent: 3 }) })).toEqual(on);
    expect(found({ trials: readOf({ ...trial, outcome: { ...kept, labels: ['seed-fixed'] } }) })).toEqual(on);
    expect(found({ replicates: readOf() })).toEqual(on);
    expect(found({ replicates: readOf({ ...measured, evaluated: null }) })).toEqual(on);
    expect(found({ decisions: wrong({ replicates: [] }) })).toEqual(on);
    expect(found({ decisions: wrong({ metric: 'other' }) })).toEqual(on);
    expect(found({ decisions: readOf() })).toEqual(['t00001']);
    expect(found({ trials: readOf(trialOf(1)) })).toEqual([]);
    const hopeless = {
      status: 'discard',
      phase: 'train',
      reason: 'hopeless',
      limit: null,
      tail: '',
    } as const;
    const stopped = { ...unmeasured('discard', ''), failure: hopeless };
    const early = readOf({ ...trial, status: 'discard' as const, outcome: stopped });
    expect(found({ decisions: readOf(), trials: early })).toEqual([]);
    expect(found({ trials: early })).toEqual(['t00001']);
    expect(found({ trials: readOf({ ...trial, status: 'discard' }) })).toEqual(['t00001']);
    expect(found({ trials: readOf({ ...trial, outcome: { ...kept, score: 3 } }) })).toEqual(['t00001']);
    expect(found({ trials: readOf({ ...trial, outcome: { ...kept, decision: 'x' } }) })).toEqual(['t00001']);
  });
});
