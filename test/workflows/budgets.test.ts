import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { changeLimits } from '../../src/cli/use-cases/change-limits.js';
import { control } from '../../src/cli/use-cases/control.js';
import type { CommandContext } from '../../src/cli/context.js';
import { findTemporalProgram } from '../../src/dev/temporal/temporal-program.js';
import { systemClock } from '../../src/lineage/clock.js';
import { EDIT_TOOL } from '../../src/model/tools/workspace.js';
import { handClock } from '../fixtures/hand-clock.js';
import { startScriptedServer, use, type ScriptedServer, type ScriptStep } from '../model/scripted-server.js';
import { edit, submit, turnKnob } from './script.js';
import { openWorld, until, type CampaignAsRead, type World } from './world.js';

const run = promisify(execFile);
const ASSAY = fileURLToPath(new URL('../../bin/assay.js', import.meta.url));
const START = 'X = 1.0  # knob: -10..10';
const [TWO, THREE] = ['X = 2.0  # knob: -10..10', 'X = 2.5  # knob: -10..10'];
/** Training of the tiny task reserves its time limit, in seconds. */
const TRAINING_S = 60;

let world: World;
let ground: CommandContext;
let prices: string;
let folder: string;
beforeAll(async () => {
  world = await openWorld();
  const { namespace, lineage, client } = world;
  ground = {
    lineage,
    client: () => Promise.resolve(client),
    servers: {
      temporal: { address: inject('temporalAddress'), namespace, uiUrl: null, how: '' },
      store: { url: inject('storeUrl'), database: '', how: '' },
      alone: false,
      others: () => Promise.resolve([]),
      stop: () => Promise.resolve(),
    },
  };
  folder = await mkdtemp(join(tmpdir(), 'assay-prices-'));
  prices = join(folder, 'prices.json');
  const priced = { asOf: '2026-01-01', source: 'this test', models: { priced: [{ input: 1, output: 1 }] } };
  await writeFile(prices, JSON.stringify(priced));
});
afterAll(async () => {
  await world.stop();
  await rm(folder, { recursive: true, force: true });
});

async function withScript(
  script: ScriptStep[],
  test: (model: ScriptedServer) => Promise<void>,
): Promise<void> {
  const model = await startScriptedServer(script);
  const env = { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key', ASSAY_PRICES: prices };
  const fleet = await world.fleet(env);
  try {
    await test(model);
    model.assertDone();
  } finally {
    await fleet.stop();
    await model.stop();
  }
}

const SOLO = { task: 'tiny', specialists: ['solo'], maxTokens: 1000 };

async function inState(name: string, state: string, reason: RegExp): Promise<CampaignAsRead> {
  return until(`${name} to be ${state} because of ${reason.source}`, async () => {
    const campaign = await world.campaign(name).catch(() => null);
    return campaign?.state === state && reason.test(campaign.reason ?? '') ? campaign : null;
  });
}

async function assay(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { ...process.env, ...world.env, NO_COLOR: '1' };
  return run(process.execPath, [ASSAY, ...args], { env }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: unknown) => z.object({ code: z.number(), stdout: z.string(), stderr: z.string() }).parse(error),
  );
}

it('pauses when the dollars are used up, cannot be resumed into a loop, and resumes when they are raised', async () => {
  const dear = { input_tokens: 49_000, output_tokens: 0 };
  const script: ScriptStep[] = [
    {
      blocks: [use(EDIT_TOOL, { command: 'str_replace', path: 'train.py', old_str: START, new_str: TWO })],
      usage: dear,
    },
    submit('after the budget was raised'),
  ];
  await withScript(script, async (model) => {
    const handle = await world.start('money', { ...SOLO, model: 'priced', trials: 1, dollars: 0.05 });
    const paused = await inState('money', 'paused', /^the dollar budget of \$0\.050 is used up/);
    expect(paused.reason).toMatch(
      /\(\$0\.049 spent or held, a request needs up to .*\): `assay budget money --dollars 0\.\d+`$/,
    );
    expect(paused.exhausted?.budget).toBe('dollars');
    await expect(control(ground, 'money', { ask: 'resume' })).rejects.toMatchObject({
      code: 'BUDGET_EXHAUSTED',
      exit: 4,
      remedy: expect.stringMatching(/`assay budget money --dollars 0\.\d+`/) as string,
    });
    await handle.signal('resume');
    await until('it to pause again', async () => {
      const { pausedSince, state } = await world.campaign('money');
      const again = pausedSince !== null && pausedSince.getTime() !== paused.pausedSince?.getTime();
      return (again && state === 'paused') || null;
    });
    expect(model.requests).toHaveLength(1);

    const little = await changeLimits(ground, 'money', { dollars: 0.051 });
    expect(little).toMatchObject({
      changed: [{ limit: 'dollars', from: 0.05, to: 0.051 }],
      goesOn: false,
      held: expect.stringContaining('the dollar budget of $0.051 is used up') as string,
    });
    expect(await inState('money', 'paused', /\$0\.051 is used up/)).toMatchObject({ control: 'paused' });

    const raised = await assay('budget', 'money', '--dollars', '1');
    expect(raised).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/dollars +\$0\.04.* it pauses/) as string,
    });
    expect(raised.stderr).toMatch(/money: dollars \$0\.0510 → \$1\.00; it resumes/);
    expect(await handle.result()).toMatchObject({ state: 'finished', reason: 'trials (1 of 1)' });

    const { owner } = await world.campaign('money');
    const budget = await world.lineage.budgets.get(owner);
    const rows = await world.lineage.budgets.rows(owner, 100);
    expect(rows.reduce((sum, row) => sum + row.spent.microUsd, 0)).toBe(budget.held.microUsd);
    expect(rows.filter((row) => row.spent.microUsd > 0)).toHaveLength(model.requests.length);
    expect(budget.open).toEqual({});
    expect(budget.changes.map(({ to }) => to.microUsd)).toEqual([51_000, 1_000_000]);
    expect(await assay('budget', 'money', '--dollars', '2')).toMatchObject({ code: 2, stdout: '' });
  });
});

it('pauses when the accelerator time is used up, and stays paused by a person when it is raised from the Temporal CLI', async () => {
  const program = (await findTemporalProgram(() => undefined)).file;
  const update = (input: unknown): Promise<{ stdout: string }> =>
    run(program, [
      ...['workflow', 'update', 'execute', '--workflow-id', 'slots', '--name', 'limits'],
      ...['--input', JSON.stringify(input), '--output', 'json'],
      ...['--address', world.env.TEMPORAL_ADDRESS ?? '', '--namespace', world.namespace],
    ]);
  await withScript([turnKnob(START, TWO), submit('waits for its accelerator')], async () => {
    const input = { ...SOLO, model: 'scripted', trials: 1, acceleratorSeconds: TRAINING_S };
    const handle = await world.start('slots', input);
    const paused = await inState('slots', 'paused', /^the accelerator budget of 60 s is used up/);
    expect(paused.reason).toMatch(
      /a training needs up to 120 s\): `assay budget slots --accelerator-seconds \d+`$/,
    );
    await handle.signal('pause', 'lunch');
    await inState('slots', 'paused', /^lunch$/);

    await expect(update({ acceleratorSeconds: 'more' })).rejects.toThrow(/acceleratorSeconds: .*number/);
    await expect(update({ acceleratorSecond: 3 })).rejects.toThrow(/unknown field "acceleratorSecond"/);
    const answer: unknown = JSON.parse((await update({ acceleratorSeconds: 1000, by: 'ann' })).stdout);
    expect(JSON.stringify(answer)).toContain('"acceleratorSeconds":1000');
    const { owner } = await world.campaign('slots');
    expect((await world.lineage.budgets.get(owner)).changes).toMatchObject([
      { by: 'ann', from: { acceleratorMs: 60_000 }, to: { acceleratorMs: 1_000_000 } },
    ]);
    const { tick } = (await world.campaign('slots')).elapsed;
    await until('three looks of the watch', async () =>
      (await world.campaign('slots')).elapsed.tick > tick + 2 ? true : null,
    );
    expect(await world.campaign('slots')).toMatchObject({ state: 'paused', reason: 'lunch' });
    await control(ground, 'slots', { ask: 'resume' });
    expect(await handle.result()).toMatchObject({ state: 'finished', reason: 'trials (1 of 1)' });
    expect((await world.trials('slots')).map(({ status }) => status)).toEqual(['keep']);
  });
});

it('gives more trials when they are raised while it runs, refuses what cannot be kept, and ends when they are lowered', async () => {
  const handle = (): ReturnType<World['client']['workflow']['getHandle']> =>
    world.client.workflow.getHandle('more');
  const script: ScriptStep[] = [
    async () => {
      const twice = [1, 2].map(() =>
        handle().executeUpdate('limits', { args: [{ trials: 2 }], updateId: 'the same' }),
      );
      for (const answer of await Promise.all(twice))
        expect(answer).toMatchObject({ limits: { trials: 2, submissions: 8 }, goesOn: false, held: null });
      const unpriced: unknown = await handle()
        .executeUpdate('limits', { args: [{ dollars: 5 }] })
        .catch((error: unknown) => error);
      expect(unpriced instanceof WorkflowUpdateFailedError && unpriced.cause?.message).toMatch(
        /a dollar budget needs a price, and none is known for the model "scripted"/,
      );
      return edit(START, TWO);
    },
    submit('the first'),
    (request) => {
      expect(JSON.stringify(request.body.messages.at(-1))).toContain('trials left: 1');
      return edit(TWO, THREE);
    },
    submit('the second'),
  ];
  await withScript(script, async () => {
    await (await world.start('more', { ...SOLO, model: 'scripted', trials: 1 })).result();
    expect(await world.campaign('more')).toMatchObject({ state: 'finished', reason: 'trials (2 of 2)' });
    const { owner, frozen } = await world.campaign('more');
    expect((await world.lineage.budgets.get(owner)).changes).toHaveLength(1);
    expect(frozen.limits.trials).toBe(1);
    await expect(changeLimits(ground, 'more', { trials: 3 })).rejects.toMatchObject({
      code: 'CAMPAIGN_ENDED',
    });

    const fewer = await world.start('fewer', { task: 'tiny', trials: 500, model: 'offline-proposer' });
    await until('two trials', async () =>
      (await world.trials('fewer').catch(() => [])).length > 1 ? true : null,
    );
    await changeLimits(ground, 'fewer', { trials: 1 });
    await fewer.result();
    expect(await world.campaign('fewer')).toMatchObject({
      state: 'finished',
      reason: expect.stringMatching(/^trials \(\d+ of 1\)$/) as string,
    });
    expect(
      (await world.trials('fewer')).every(({ status }) => status !== null && status !== 'cancelled'),
    ).toBe(true);
  });
});

const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;

it('ends after hours without gain that a restart of the worker and a jump of the clock leave as they are', async () => {
  const later = {
    error: { status: 529, type: 'overloaded_error', message: 'later', headers: { 'retry-after': '3600' } },
  };
  const model = await startScriptedServer([later]);
  const env = { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' };
  const before = handClock(systemClock);
  const first = await world.fleet(env, before);
  const input = { ...SOLO, model: 'scripted', trials: 1, hours: 100, hoursWithoutGain: 5 };
  const handle = await world.start('barren', input);
  const sinceGain = (hours: number): Promise<CampaignAsRead> =>
    until(`${hours} hours without gain`, async () => {
      const campaign = await world.campaign('barren').catch(() => null);
      return (campaign?.elapsed.sinceGainMs ?? 0) >= hours * HOUR_MS ? campaign : null;
    });
  await until('the start and the first request', async () => {
    const campaign = await world.campaign('barren').catch(() => null);
    return (campaign?.elapsed.gainVersion === 1 && model.requests.length === 1) || null;
  });
  before.jump(YEAR_MS);
  before.pass(3 * HOUR_MS);
  const seen = await sinceGain(3);
  expect(seen.elapsed.ranMs).toBeLessThan(4 * HOUR_MS);
  expect(seen.elapsed.at.getTime()).toBeGreaterThan(Date.now() + YEAR_MS);
  expect(seen.state).toBe('running');
  await first.stop();

  const after = handClock(systemClock);
  after.jump(YEAR_MS);
  after.pass(4 * HOUR_MS);
  const second = await world.fleet(env, after);
  const back = await sinceGain(4);
  expect(back.elapsed.sinceGainMs).toBeLessThan(4.5 * HOUR_MS);
  expect(back.state).toBe('running');
  after.jump(-2 * YEAR_MS);
  after.pass(HOUR_MS);
  await inState('barren', 'draining', /^no gain in 5 hours$/);
  await handle.signal('stop', 'now');
  expect(await handle.result()).toMatchObject({ state: 'stopped' });
  await second.stop();
  await model.stop();
});
