import proto from '@temporalio/proto';
import { BSON, MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { textOfReason } from '../../src/domain/campaign/reasons.js';
import { startScriptedServer, type ScriptedServer, type ScriptStep } from '../model/scripted-server.js';
import { submit, turnKnob } from '../workflows/script.js';
import { openWorld, until, type World } from '../workflows/world.js';
import { runHere } from './assay.js';
import { wordsOf, type RowName } from './rows.js';

const KEY = 'sk-a-key-that-must-stay-secret-0123456789';

/** A provider whose answer repeats the key. */
const refuses = (status: number, type: string, headers: Record<string, string> = {}): ScriptStep => ({
  error: { status, type, message: `not with the key ${KEY}`, headers },
});

const REFUSALS: readonly (readonly [RowName, ScriptStep])[] = [
  ['model-wrong-key', refuses(401, 'authentication_error')],
  ['model-unknown', refuses(404, 'not_found_error')],
  ['model-quota-400', refuses(400, 'invalid_request_error')],
  ['model-quota-402', refuses(402, 'billing_error')],
  ['model-quota-403', refuses(403, 'permission_error')],
];

let world: World;
let model: ScriptedServer;
beforeAll(async () => {
  world = await openWorld();
  model = await startScriptedServer([
    ...REFUSALS.map(([, step]) => step),
    refuses(429, 'rate_limit_error', { 'retry-after-ms': '1200' }),
    refuses(529, 'overloaded_error', { 'retry-after': '1' }),
    turnKnob('X = 1.0', 'X = 2.0'),
    submit('after all'),
  ]);
});
afterAll(async () => {
  await world.stop();
  await model.stop();
});

const NAME = 'refusing';
let said = '';
const note = (text: string): void => {
  said += text;
};

/**
 * Waits until the campaign is blocked as in the row: nothing charged, no open reservation, no trial changed.
 */
async function blockedAs(row: RowName): Promise<void> {
  const words = wordsOf(row);
  const campaign = await until(`${row} to block the campaign`, async () => {
    const found = await world.lineage.campaigns.find(NAME);
    return found?.state === 'blocked' && words.test(textOfReason(found.reason) ?? '') ? found : null;
  });
  const budget = await world.lineage.budgets.get(campaign.owner);
  expect([budget.open, budget.held.tokens, campaign.active]).toEqual([{}, 0, {}]);
  expect(await world.trials(NAME)).toEqual([]);
  for (const args of [
    ['status', NAME],
    ['status', NAME, '--json'],
  ]) {
    const { stdout, stderr } = await runHere(args, world.env);
    note(stdout + stderr);
    expect(stdout).toContain('blocked');
  }
}

async function resume(): Promise<void> {
  expect(await runHere(['resume', NAME, '--json'], world.env)).toMatchObject({ exitCode: 0 });
}

it('a model that refuses for good blocks the campaign until a person has fixed it; the turn is then repeated', async () => {
  const keyless = await world.fleet();
  const handle = await world.start(NAME, {
    task: 'tiny',
    model: 'scripted',
    specialists: ['solo'],
    trials: 1,
  });
  await blockedAs('model-no-key');
  await keyless.stop();
  await world.fleet({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: KEY });
  for (const [row] of REFUSALS) {
    await resume();
    await blockedAs(row);
  }
  await resume();
  expect(await handle.result()).toMatchObject({ state: 'finished', counted: 1 });
  // one request a refusal, and each overload waited for as long as was asked: none was repeated by itself
  model.assertDone();
  const { owner } = await world.campaign(NAME);
  expect((await world.lineage.budgets.get(owner)).open).toEqual({});
  const charged = (await world.lineage.budgets.rows(owner, 1000)).filter((row) => row.spent.tokens > 0);
  expect(charged, 'model-rate').toHaveLength(2);
  expect(await world.trials(NAME)).toMatchObject([{ status: 'keep' }]);
});

it('the key is in no document of the store, in no history, and in nothing that was said', async () => {
  expect(model.requests[0]?.headers.authorization).toContain(KEY);
  const client = await new MongoClient(inject('storeUrl')).connect();
  const database = client.db(world.env['ASSAY_MONGODB_DATABASE']);
  let documents = 0;
  for (const { name } of await database.listCollections().toArray()) {
    for await (const document of database.collection(name).find()) {
      documents += 1;
      expect(Buffer.from(BSON.serialize(document)).includes(KEY), name).toBe(false);
    }
  }
  await client.close();
  expect(documents).toBeGreaterThan(20);
  let refusals = 0;
  for await (const { workflowId, runId } of world.client.workflow.list()) {
    const history = await world.client.workflow.getHandle(workflowId, runId).fetchHistory();
    const bytes = Buffer.from(proto.temporal.api.history.v1.History.encode(history).finish());
    expect(bytes.includes(KEY), workflowId).toBe(false);
    if (bytes.includes('not with the key')) refusals += 1;
  }
  // the provider's words are there, so this is where the key would be
  expect(refusals).toBeGreaterThan(0);
  expect(said).toContain('not with the key');
  expect(said).not.toContain(KEY);
});
