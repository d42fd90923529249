import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { costsModel, divided, type Costs } from '../../src/analysis/statistics/costs.js';
import { TRIAL_STATUSES } from '../../src/domain/statuses.js';
import type { LedgerDocument } from '../../src/lineage/documents/ledger.js';
import type { TrialPlace } from '../../src/lineage/audit-reader.js';
import { startScriptedServer, type ScriptedAnswer } from '../model/scripted-server.js';
import { assay, assayJson } from '../workflows/command-lines.js';
import { edit, submit } from '../workflows/script.js';
import { openWorld, until, type World } from '../workflows/world.js';

const UNITS = ['microUsd', 'acceleratorMs', 'tokens'] as const;
const CERTAINTIES = ['known', 'unknown', 'unpaid'] as const;

const amount = fc.nat(1_000_000);
const amounts = fc.record({ microUsd: amount, acceleratorMs: amount, tokens: amount });
const rowArbitrary: fc.Arbitrary<LedgerDocument> = fc
  .record({
    spent: amounts,
    role: fc.constantFrom('opt', 'arch', 'start'),
    what: fc.constantFrom('model', 'train', 'evaluate', 'saved'),
    certainty: fc.constantFrom(...CERTAINTIES),
    trial: fc.option(fc.nat(6)),
    turn: fc.nat(9),
    kind: fc.constantFrom('reuse', 'stop'),
  })
  .map(({ spent, role, what, certainty, trial, turn, kind }) => {
    const nothing = { microUsd: 0, acceleratorMs: 0, tokens: 0 };
    const counts = what !== 'saved' && certainty !== 'unpaid';
    const saved = {
      kind,
      phase: 'train',
      trial,
      replicate: null,
      acceleratorMs: spent.acceleratorMs,
    } as const;
    return {
      _id: `o/opt-1/0/${turn}/1`,
      owner: 'o',
      what,
      role,
      trial: what === 'model' ? null : trial,
      reserved: spent,
      spent: counts ? spent : nothing,
      certainty: what === 'saved' ? 'known' : certainty,
      hold: null,
      saved: what === 'saved' ? saved : null,
      at: new Date(0),
    };
  });
const trialArbitrary: fc.Arbitrary<TrialPlace[]> = fc
  .array(fc.record({ turn: fc.nat(9), status: fc.option(fc.constantFrom(...TRIAL_STATUSES)) }), {
    maxLength: 7,
  })
  .map((trials) =>
    trials.map(({ turn, status }, number) => ({
      number,
      session: number === 0 ? null : 'o/opt-1/0',
      turn: number === 0 ? null : turn,
      status,
    })),
  );

describe('the division of costs', () => {
  it('adds up to the sum of the ledger by role, by phase and by status', () => {
    fc.assert(
      fc.property(fc.array(rowArbitrary, { maxLength: 40 }), trialArbitrary, (rows, trials) => {
        const costs = divided(rows, trials);
        for (const unit of UNITS) {
          const whole = rows.reduce((sum, { spent }) => sum + spent[unit], 0);
          expect(costs.total.spent[unit]).toBe(whole);
          for (const lines of [costs.byRole, costs.byPhase, costs.byStatus]) {
            expect(lines.reduce((sum, { spent }) => sum + spent[unit], 0)).toBe(whole);
            const unknown = lines.reduce((sum, each) => sum + each.unknown[unit], 0);
            expect(unknown).toBe(costs.total.unknown[unit]);
          }
        }
        const { reuse, stop } = costs.saved.byKind;
        const savings = rows.flatMap(({ saved }) => saved ?? []);
        expect(reuse.rows + stop.rows).toBe(savings.length);
        expect(costs.saved.acceleratorMs).toBe(savings.reduce((sum, each) => sum + each.acceleratorMs, 0));
      }),
    );
  });

  it('counts a request to the trial that its session submitted next, and the last ones to none', () => {
    const request = (turn: number): LedgerDocument => ({
      _id: `o/opt-1/0/${turn}/1`,
      owner: 'o',
      what: 'model',
      role: 'opt',
      trial: null,
      reserved: { microUsd: 9, acceleratorMs: 0, tokens: 9 },
      spent: { microUsd: 1, acceleratorMs: 0, tokens: 1 },
      certainty: 'known',
      hold: null,
      saved: null,
      at: new Date(0),
    });
    const place = (number: number, turn: number, status: TrialPlace['status']): TrialPlace => ({
      number,
      session: 'o/opt-1/0',
      turn,
      status,
    });
    const trials = [place(1, 2, 'crash'), place(2, 3, 'keep'), place(3, 3, 'discard')];
    const { byStatus } = divided([0, 1, 2, 3, 4].map(request), trials);
    const rows = Object.fromEntries(byStatus.map(({ of, rows: count }) => [of ?? 'none', count]));
    expect(rows).toEqual({ crash: 3, keep: 1, none: 1 });
  });
});

describe('assay costs', () => {
  const NAME = 'costly';
  let world: World;
  let folder: string;
  let requests = 0;
  beforeAll(async () => {
    world = await openWorld();
    folder = await mkdtemp(join(tmpdir(), 'assay-costs-'));
    const pricesAt = async (file: string, dollars: number): Promise<string> => {
      const models = { priced: [{ input: dollars, output: dollars, cacheWrite: dollars }] };
      const path = join(folder, file);
      await writeFile(path, JSON.stringify({ asOf: '2026-01-01', source: `list ${dollars}`, models }));
      return path;
    };
    const released: { go: () => void } = { go: () => undefined };
    const held = new Promise<ScriptedAnswer>((resolve) => {
      released.go = () => resolve({ blocks: [] });
    });
    const model = await startScriptedServer([
      edit('X = 1.0', 'X = 2.0'),
      { drop: 'midway' },
      submit('better'),
      () => held,
      edit('X = 2.0', 'X = -4.0'),
      submit('worse'),
    ]);
    const env = { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' };
    const first = await world.fleet({ ...env, ASSAY_PRICES: await pricesAt('first.json', 1) });
    const input = { task: 'tiny', model: 'priced', specialists: ['solo'], trials: 2, maxTokens: 1000 };
    const handle = await world.start(NAME, input);
    await until('the request that is cut off', () => Promise.resolve(model.requests.length === 4 || null));
    await first.stop();
    released.go();
    const second = await world.fleet({ ...env, ASSAY_PRICES: await pricesAt('second.json', 10) });
    await handle.result();
    requests = model.requests.length;
    model.assertDone();
    await second.stop();
    await model.stop();
  });
  afterAll(async () => {
    await world.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const shape = z.object({
    schema: z.literal('assay.costs/1'),
    campaigns: z.array(z.custom<Costs>()).length(1),
  });

  it('shows where it went, adds up to the ledger, and keeps the price that the campaign was frozen with', async () => {
    const { owner, frozen } = await world.campaign(NAME);
    expect(frozen.price).toMatchObject({ asOf: '2026-01-01', source: 'list 1' });
    const [costs] = shape.parse(await assayJson(world, 'costs', NAME)).campaigns;
    const rows = await world.lineage.budgets.rows(owner, 1000);
    for (const unit of UNITS)
      expect(costs?.total.spent[unit]).toBe(rows.reduce((sum, { spent }) => sum + spent[unit], 0));
    const { held, open } = await world.lineage.budgets.get(owner);
    expect(open).toEqual({});
    expect(costs?.total.spent).toEqual(held);
    // at a dollar a million tokens; at the second list's price it would be ten times as much
    expect(costs?.total.spent.microUsd).toBe(costs?.total.spent.tokens);
    expect(costs).toMatchObject({
      currency: 'USD',
      price: { model: 'priced', asOf: '2026-01-01', source: 'list 1' },
      lost: { unknown: 1, estimated: 1 },
      open: { rows: 0 },
    });
    expect(costs?.byPhase.find(({ of }) => of === 'model')?.rows).toBe(requests);
    expect(costs?.byPhase.map(({ of }) => of).sort()).toEqual(['model', 'train']);
    expect(costs?.byRole.map(({ of }) => of).sort()).toEqual(['solo', 'start']);
    expect(costs?.byStatus.map(({ of }) => of).sort()).toEqual(['discard', 'keep', 'start']);
    expect(costs?.total.unknown.microUsd).toBeGreaterThan(1000);
    const [role] = costs?.models.byRole ?? [];
    expect(role).toMatchObject({ of: 'solo', requests, cachedTokens: 0, adopted: 1 });
    expect(role?.microUsdPerGain).toBeCloseTo((role?.microUsd ?? 0) / (role?.gain ?? 0));
    expect(costs?.models.byModel).toMatchObject([{ ...role, of: 'priced' }]);
  });

  it('prints units, prices and what was lost, and lists all campaigns without a name', async () => {
    const one = await assay(world, 'costs', NAME);
    expect(one.code).toBe(0);
    expect(one.stdout).toMatch(/in US dollars, and seconds of one accelerator slot/);
    expect(one.stdout).toMatch(/prices of priced as of 2026-01-01: list 1/);
    expect(one.stdout.match(/^total /gm)).toHaveLength(3);
    expect(one.stdout).toMatch(/^REQUESTS OF .*FROM CACHE .*USD PER UNIT OF GAIN/m);
    expect(one.stdout).toContain('replies that broke off, counted by what their events told: 1 rows');
    expect(one.stdout).toMatch(
      /lost as unknown, counted above at the most that it can have cost: 1 rows, \$0\.\d+/,
    );
    const all = await assay(world, 'costs');
    expect(all.stdout).toMatch(/^CAMPAIGN .*USD +ACCELERATOR S/m);
    expect(all.stdout).toMatch(new RegExp(`^${NAME} +finished `, 'm'));
    expect(await assay(world, 'costs', 'nobody')).toMatchObject({ code: 2 });
  });

  it('says of a model without a price that its dollars are not known', async () => {
    const input = { task: 'tiny', model: 'nobody-knows', specialists: ['solo'], trials: 1 };
    const model = await startScriptedServer([edit('X = 1.0', 'X = 2.0'), submit('better')]);
    const fleet = await world.fleet({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' });
    await (await world.start('unpriced', input)).result();
    await fleet.stop();
    await model.stop();
    const [costs] = (await costsModel(world.lineage, ['unpriced'])).campaigns;
    expect(costs).toMatchObject({ price: null, model: 'nobody-knows', total: { spent: { microUsd: 0 } } });
    expect(costs?.total.spent.tokens).toBe(240);
    const { stdout } = await assay(world, 'costs', 'unpriced');
    expect(stdout).toMatch(/the price of nobody-knows is not known/);
  });
});
