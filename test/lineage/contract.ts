import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unmeasured } from '../../src/domain/trial/outcome.js';
import { NOTHING } from '../../src/lineage/budgets/budgets.js';
import { estimateIn, type DecisionDocument } from '../../src/lineage/documents/decision.js';
import { candidate } from '../builders/candidate.js';
import { frozenOf } from '../builders/frozen-campaign.js';
import { openLineage, type Lineage, type StoreAddress } from '../../src/lineage/lineage.js';
import type { Proposal } from '../../src/lineage/trials/trials.js';

const UNLIMITED = { trials: 100_000, submissions: 400_000 };

/** Contract of every store. */
export function storeContract(name: string, address: () => StoreAddress): void {
  describe(`the store ${name}`, () => {
    let lineage: Lineage;
    let empty: string;
    beforeAll(async () => {
      lineage = await openLineage(address());
      empty = await lineage.blobs.put('');
    });
    afterAll(() => lineage.close());

    const owner = (): string => `test/${randomUUID()}`;
    const proposal = (of: string, submitKey: string, snapshot = submitKey): Proposal => ({
      owner: of,
      campaign: 'c',
      submitKey: `${of}/${submitKey}`,
      snapshot: Buffer.from(snapshot).toString('hex').padEnd(64, '0').slice(0, 64),
      parent: 0,
      parentSnapshot: null,
      diff: empty,
      changes: '',
      hypothesis: submitKey,
      expectedDelta: null,
      domain: null,
      edit: null,
      similar: null,
      twinScope: null,
      role: 'solo',
      lane: 'solo-1',
      session: null,
      turn: null,
    });

    it('numbers 200 concurrent submits of 60 keys 1 to 60, without a gap and the same for each key', async () => {
      const of = owner();
      const keys = Array.from({ length: 200 }, (_, i) => `k${i % 60}`);
      const results = await Promise.all(
        keys.map((key) => lineage.trials.submit(proposal(of, key), UNLIMITED)),
      );
      const numbers = results.map((result) => (result.kind === 'accepted' ? result.trial.number : -1));
      expect([...new Set(numbers)].sort((a, b) => a - b)).toEqual(
        Array.from({ length: 60 }, (_, i) => i + 1),
      );
      for (const [i, key] of keys.entries()) expect(numbers[i]).toBe(numbers[keys.indexOf(key)]);
      expect(await lineage.trials.totals(of)).toEqual({ submitted: 60, counted: 60 });
      // 60 that contend for each number make thousands of requests, on a busy machine for as long as they take
    }, 600_000);

    it('accepts exactly as many counted trials as the limit under concurrency, and refuses the rest', async () => {
      const of = owner();
      const keys = Array.from({ length: 40 }, (_, i) => `k${i}`);
      const limits = { trials: 7, submissions: 100 };
      const results = await Promise.all(keys.map((key) => lineage.trials.submit(proposal(of, key), limits)));
      expect(results.filter((result) => result.kind === 'accepted')).toHaveLength(7);
      expect(await lineage.trials.totals(of)).toEqual({ submitted: 7, counted: 7 });
    });

    it('gives a duplicate snapshot a number but no place among the counted trials', async () => {
      const of = owner();
      const first = await lineage.trials.submit(proposal(of, 'a', 'same'), UNLIMITED);
      const second = await lineage.trials.submit(proposal(of, 'b', 'same'), UNLIMITED);
      expect(first.kind === 'accepted' && first.trial.twin).toBeNull();
      expect(second.kind === 'accepted' && second.trial.twin).toBe(`${of}/a`);
      expect(await lineage.trials.totals(of)).toEqual({ submitted: 2, counted: 1 });
    });

    it('gives the result of the start to a trial that submits its code again', async () => {
      const of = owner();
      await lineage.trials.insertStart(proposal(of, 'start', 'same'));
      const again = await lineage.trials.submit(proposal(of, 'a', 'same'), UNLIMITED);
      expect(again.kind === 'accepted' && again.trial.twin).toBe(`${of}/start`);
      expect(await lineage.trials.totals(of)).toEqual({ submitted: 1, counted: 0 });
    });

    it('never makes a duplicate of a cancelled trial', async () => {
      const of = owner();
      await lineage.trials.submit(proposal(of, 'a', 'same'), UNLIMITED);
      await lineage.trials.settle(of, 1, unmeasured('cancelled', 'by a test'));
      const second = await lineage.trials.submit(proposal(of, 'b', 'same'), UNLIMITED);
      expect(second.kind === 'accepted' && second.trial.twin).toBeNull();
    });

    it('measures again what the host ended, with runs after those before, however often it is asked', async () => {
      const of = owner();
      await lineage.trials.submit(proposal(of, 'a', 'same'), UNLIMITED);
      await lineage.trials.addReplicate(of, 1, 'a/replicate');
      const failure = {
        status: 'train_budget_overrun',
        phase: 'train',
        reason: 'late',
        limit: null,
      } as const;
      const late = { failure: { ...failure, tail: '', busyHost: true } };
      await lineage.trials.settle(of, 1, unmeasured('train_budget_overrun', 'late', late));
      for (const key of ['b', 'b', 'c']) await lineage.trials.submit(proposal(of, key, 'same'), UNLIMITED);
      const [again, twin] = await lineage.trials.many(of, [2, 3]);
      expect(again).toMatchObject({ twin: null, firstRun: 1 });
      expect(twin?.twin).toBe(`${of}/b`);
    });

    it('gives places back to the limit, each once', async () => {
      const of = owner();
      const limits = { trials: 1, submissions: 100 };
      await lineage.trials.submit(proposal(of, 'a'), limits);
      expect(await lineage.trials.submit(proposal(of, 'b'), limits)).toEqual({
        kind: 'full',
        limit: 'trials',
      });
      expect(await lineage.trials.unbegun(of)).toBe(1);
      await lineage.trials.settle(of, 1, unmeasured('size_blocked', 'too large'));
      expect(await lineage.trials.unbegun(of)).toBe(0);
      for (let time = 0; time < 2; time += 1) await lineage.trials.returnPlace(of, 1);
      expect(await lineage.trials.totals(of)).toEqual({ submitted: 1, counted: 0 });
      expect(await lineage.trials.submit(proposal(of, 'c'), limits)).toMatchObject({ kind: 'accepted' });
      expect(await lineage.trials.submit(proposal(of, 'd'), limits)).toEqual({
        kind: 'full',
        limit: 'trials',
      });
    });

    it('has one of the trials that a cancelled one lets go measured, and the others wait for it', async () => {
      const of = owner();
      const limits = () => Promise.resolve(UNLIMITED);
      for (const key of ['a', 'b', 'c', 'd'])
        await lineage.trials.submit(proposal(of, key, 'same'), UNLIMITED);
      await lineage.trials.settle(of, 1, unmeasured('cancelled', 'by a test'));
      const released = await lineage.trials.many(of, [2, 3, 4]);
      await Promise.all(released.map((trial) => lineage.trials.currentTwin(trial, limits)));
      const [first, ...waiting] = (await lineage.trials.many(of, [2, 3, 4])).sort(
        (a, b) => Number(a.twin !== null) - Number(b.twin !== null),
      );
      expect(first?.twin).toBeNull();
      expect(waiting.map((trial) => trial.twin)).toEqual([first?.submitKey, first?.submitKey]);
      const late = await lineage.trials.submit(proposal(of, 'e', 'same'), UNLIMITED);
      expect(late.kind === 'accepted' && late.trial.twin).toBe(first?.submitKey);
    });

    it('has one first trial of a snapshot when its submitter dies before it has a number', async () => {
      const of = owner();
      const dying = {
        submissions: UNLIMITED.submissions,
        get trials(): number {
          throw new Error('killed between the claim and the number');
        },
      };
      await expect(lineage.trials.submit(proposal(of, 'dead', 'same'), dying)).rejects.toThrow('killed');
      expect((await lineage.trials.totals(of)).submitted).toBe(0);
      const keys = Array.from({ length: 8 }, (_, i) => `k${i}`);
      const results = await Promise.all(
        keys.map((key) => lineage.trials.submit(proposal(of, key, 'same'), UNLIMITED)),
      );
      const twins = results.map((result) => (result.kind === 'accepted' ? result.trial.twin : 'refused'));
      expect(new Set(twins)).toEqual(new Set([`${of}/dead`]));
      const again = await lineage.trials.submit(proposal(of, 'dead', 'same'), UNLIMITED);
      expect(again.kind === 'accepted' && again.trial.twin).toBeNull();
      expect(await lineage.trials.totals(of)).toEqual({ submitted: 9, counted: 1 });
    });

    it('refuses a document that is too large before it is sent, and goes on', async () => {
      const of = owner();
      const huge = { ...proposal(of, 'huge'), hypothesis: 'x'.repeat(16 * 1024 * 1024) };
      await expect(lineage.trials.submit(huge, UNLIMITED)).rejects.toMatchObject({ code: 'STORE_REFUSED' });
      expect(await lineage.blobs.text(empty)).toBe('');
    });

    it('sets a terminal status once', async () => {
      const of = owner();
      await lineage.trials.submit(proposal(of, 'a'), UNLIMITED);
      const settled = await Promise.all(
        (['crash', 'cancelled', 'violation'] as const).map((status) =>
          lineage.trials.settle(of, 1, unmeasured(status, 'by a test')),
        ),
      );
      expect(new Set(settled.map((trial) => trial.status)).size).toBe(1);
    });

    it('grants ten reservations of 10 to 60 concurrent requests against a limit of 100', async () => {
      const of = owner();
      await lineage.budgets.create(of, { ...frozenOf('c', of).limits, microUsd: 100 });
      const amounts = { ...NOTHING, microUsd: 10 };
      const asked = Array.from({ length: 60 }, (_, i) => `${of}/k.${i}`);
      const results = await Promise.all(
        asked.map((key) =>
          lineage.budgets.reserve({ owner: of, key, amounts, what: 'model', role: 'solo', trial: null }),
        ),
      );
      expect(results.filter((result) => result === 'reserved')).toHaveLength(10);
      expect((await lineage.budgets.get(of)).held.microUsd).toBe(100);
    });

    it('settles a reservation once, and refuses to reserve a settled key again', async () => {
      const of = owner();
      const key = `${of}/k`;
      await lineage.budgets.create(of, frozenOf('c', of).limits);
      const request = {
        owner: of,
        key,
        amounts: { ...NOTHING, tokens: 50 },
        what: 'model',
        role: 'solo',
        trial: null,
      };
      await lineage.budgets.reserve(request);
      const spent = { ...NOTHING, tokens: 20 };
      await Promise.all([1, 2, 3].map(() => lineage.budgets.settle(of, key, spent, 'known')));
      expect(await lineage.budgets.reserve(request)).toBe('settled');
      const budget = await lineage.budgets.get(of);
      expect(budget.held.tokens).toBe(20);
      expect(budget.open).toEqual({});
      expect((await lineage.budgets.rows(of, 10)).map((row) => row.spent.tokens)).toEqual([20]);
    });

    it('moves the frontier by one decision at a time, however many decide at once', async () => {
      const of = owner();
      await lineage.decisions.decide(candidate(of, 0, 100));
      const trials = Array.from({ length: 12 }, (_, i) => i + 1);
      await Promise.all(trials.map((trial) => lineage.decisions.decide(candidate(of, trial, 50 - trial))));
      const frontier = await lineage.decisions.frontier(of);
      if (frontier === null) throw new Error('there is no frontier');
      expect(frontier.trial).toBe(12);
      const chain = await lineage.decisions.chain(frontier, 100);
      expect(chain.map((adopted) => adopted.frontier.version)).toEqual(chain.map((_, i) => chain.length - i));
      for (const [i, adopted] of chain.slice(0, -1).entries())
        expect(adopted.inputs.frontier?.trial).toBe(chain[i + 1]?.trial);
      const all = await lineage.decisions.from(of, 1, 100);
      expect(all.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 13 }, (_, i) => i + 1));
    });

    it.each([1, 2] as const)(
      'carries what is believed from decision to decision, by version %s',
      async (ruleVersion) => {
        const of = owner();
        const posterior = { rule: 'posterior', ruleVersion, calibration: 3 } as const;
        const decide = async (...args: Parameters<typeof candidate>): Promise<DecisionDocument> => {
          const made = await lineage.decisions.decide(candidate(...args));
          if (made === 'again') throw new Error('no further run is wanted here');
          return made;
        };
        const start = await decide(of, 0, 0, { ...posterior, scores: [1, 1.2, 0.8], mayRepeat: true });
        expect(start).toMatchObject({ version: ruleVersion, result: { adopt: true } });
        expect(start.result.sd).toBeCloseTo(ruleVersion === 1 ? 0.225 : 0.27, 2);
        const better = await decide(of, 1, 0, { ...posterior, scores: [-3, -3.1] });
        expect(better).toMatchObject({ result: { adopt: true }, frontier: { trial: 1, version: 2 } });
        const before = estimateIn(better, 0);
        const old = await decide(of, 2, 0, { ...posterior, scores: [0.9], open: [0] });
        expect(old).toMatchObject({ result: { adopt: false }, inputs: { knowledge: { runs: 5 } } });
        expect(estimateIn(old, 0)?.sd).toBeLessThan(before?.sd ?? 0);
        expect(estimateIn(old, 7)).toBeNull();
        const early = candidate(owner(), 0, 0, { ...posterior, scores: [1, 1.2], mayRepeat: true });
        expect(await lineage.decisions.decide(early)).toBe('again');
        const other = candidate(of, 3, 0, { ...posterior, ruleVersion: ruleVersion === 1 ? 2 : 1 });
        await expect(lineage.decisions.decide(other)).rejects.toMatchObject({ code: 'INTERNAL' });
      },
    );

    it('keeps a decision when the same trial is decided again', async () => {
      const of = owner();
      await lineage.decisions.decide(candidate(of, 0, 2));
      const first = await lineage.decisions.decide(candidate(of, 1, 1));
      await lineage.decisions.decide(candidate(of, 2, 0.5));
      expect(await lineage.decisions.decide(candidate(of, 1, 1))).toEqual(first);
    });

    it('refuses a result of an attempt that was overtaken, and keeps the first one published', async () => {
      const of = owner();
      const identity = {
        owner: of,
        snapshot: 'a'.repeat(64),
        purpose: 'search',
        index: 0,
        hostClass: 'h',
      } as const;
      const { _id: key } = await lineage.replicates.open(identity, 1, 'secret');
      const holder = { host: 'h', worker: 'w', what: 'train', run: 'r', since: new Date() };
      const slow = await lineage.replicates.beginAttempt(key, holder);
      const fast = await lineage.replicates.beginAttempt(key, holder);
      const result = (fence: number) => ({
        fence,
        failure: null,
        runs: [],
        artifact: null,
        metrics: { fence },
        margins: [],
        sharesTraining: null,
        saved: [],
        progress: [],
        at: new Date(),
      });
      await expect(lineage.replicates.publishTrained(key, result(slow.fence))).rejects.toThrow(/overtaken/);
      await lineage.replicates.publishTrained(key, result(fast.fence));
      const late = await lineage.replicates.publishTrained(key, result(slow.fence));
      expect(late.metrics).toEqual({ fence: fast.fence });
      expect((await lineage.replicates.get(key)).faults).toHaveLength(1);
    });

    it('starts no work after a pause was acknowledged', async () => {
      const of = owner();
      const name = `c-${randomUUID().slice(0, 8)}`;
      await lineage.campaigns.freeze(frozenOf(name, of));
      const work = { what: 'train', trial: 1, stage: 'train', host: 'h', fence: 1, since: new Date() };
      expect(await lineage.campaigns.startWork(of, 'k/1.0', work)).toBe(true);
      const taken = { ...work, fence: 2 };
      expect(await lineage.campaigns.startWork(of, 'k/1.0', taken)).toBe(true);
      expect(await lineage.campaigns.startWork(of, 'k/1.0', work)).toBe(false);
      await lineage.campaigns.setControl(of, 'paused', { kind: 'pause', said: 'test' });
      expect(await lineage.campaigns.startWork(of, 'k/2.0', work)).toBe(false);
      await lineage.campaigns.endWork(of, 'k/1.0', 1);
      expect(Object.values((await lineage.campaigns.byOwner(of)).active)).toEqual([taken]);
      await lineage.campaigns.endWork(of, 'k/1.0', 2);
      expect((await lineage.campaigns.byOwner(of)).active).toEqual({});
    });

    it('gives a name to one owner, and tells another one that it is taken', async () => {
      const name = `c-${randomUUID().slice(0, 8)}`;
      const [mine, yours] = [owner(), owner()];
      await lineage.campaigns.freeze(frozenOf(name, mine));
      await expect(lineage.campaigns.freeze(frozenOf(name, mine))).resolves.toMatchObject({ owner: mine });
      await expect(lineage.campaigns.freeze(frozenOf(name, yours))).rejects.toThrow(/was used on/);
    });

    it('uses the reply that was stored first, and chooses one that a killed attempt left behind', async () => {
      const session = `${owner()}/solo-1/0`;
      const reply = (id: string) => ({
        id,
        model: 'm',
        content: [{ type: 'text' as const, text: id }],
        stopReason: 'end_turn',
        usage: { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 },
      });
      const [first, second] = [
        await lineage.sessions.attempt(session, 0),
        await lineage.sessions.attempt(session, 0),
      ];
      expect([first, second]).toEqual([1, 2]);
      expect(
        (await lineage.sessions.store({ session, turn: 0, attempt: second }, reply('second'), null)).id,
      ).toBe('second');
      expect(
        (await lineage.sessions.store({ session, turn: 0, attempt: first }, reply('first'), null)).id,
      ).toBe('second');
      expect((await lineage.sessions.reply(session, 0))?.id).toBe('second');
      expect(await lineage.sessions.reply(session, 1)).toBeNull();
    });

    it('keeps a reply whatever its tools were called with, so that it is not paid for again', async () => {
      const session = `${owner()}/solo-1/0`;
      const input = { '': 1, 'a.b': 2, $set: 3, 'nul\0key': { deep: ['\0', '\ud800'] } };
      const reply = {
        id: 'msg',
        model: 'm',
        content: [{ type: 'tool_use' as const, id: 't', name: 'n', input }],
        stopReason: 'tool_use',
        usage: { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 },
      };
      const attempt = await lineage.sessions.attempt(session, 0);
      await lineage.sessions.store({ session, turn: 0, attempt: attempt }, reply, null);
      expect(await lineage.sessions.reply(session, 0)).toEqual(reply);
    });

    it('keeps blobs of any size whole, and notices when they were altered', async () => {
      const large = Buffer.alloc(20 * 1024 * 1024, 7);
      const digest = await lineage.blobs.put(large);
      expect((await lineage.blobs.get(digest)).equals(large)).toBe(true);
      const tree = await lineage.blobs.putTree([
        { path: 'b', bytes: Buffer.from('2') },
        { path: 'a', bytes: Buffer.from('1') },
      ]);
      expect((await lineage.blobs.readTree(tree)).map((file) => file.path)).toEqual(['a', 'b']);
    });
  });
}
