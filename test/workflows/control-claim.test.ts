import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { statusModel } from '../../src/analysis/read-models/status.js';
import { pushTask } from '../bad-input/test-task.js';
import { seeded } from '../fixtures/tiny.js';
import { startScriptedServer, type ScriptedServer } from '../model/scripted-server.js';
import { assayJson, leftOpen, liveRuns, NOTHING_OPEN } from './command-lines.js';
import { edit, submit } from './script.js';
import { openWorld, until, type World } from './world.js';

// every command is its own process, which is slow on a busy machine
vi.setConfig({ testTimeout: 300_000 });

/** Long enough for a claim to be met at work by a command, whose process takes its time to start. */
const RECIPE = `
import json, os, random, time
X = 1.0
random.seed(int(os.environ["ASSAY_SEED"]))
time.sleep(6)
with open(os.path.join(os.environ["ASSAY_OUTPUT"], "x.json"), "w") as file: json.dump({"x": X + random.gauss(0, 0.01)}, file)
`;

let world: World;
let model: ScriptedServer;
beforeAll(async () => {
  world = await openWorld();
  await pushTask(world, 'slow', seeded, { 'recipe/train.py': RECIPE });
  const better = [edit('X = 1.0', 'X = 2.0'), submit('better')];
  model = await startScriptedServer([...better, ...better]);
  await world.fleet({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' });
});
afterAll(async () => {
  await world.stop();
  await model.stop();
});

/** A campaign whose claim is being measured. */
async function claiming(name: string) {
  const limits = { trials: 1, acceleratorSeconds: 5000, trainHeartbeatSeconds: 10 };
  const input = { task: 'slow', model: 'scripted', specialists: ['solo'], claim: { runs: 4 }, ...limits };
  const handle = await world.start(name, input);
  await until('a fresh run', async () => {
    const found = await world.lineage.campaigns.find(name);
    return found?.state === 'claiming' && Object.keys(found.active).length > 0 ? true : null;
  });
  return handle;
}

/** Expects that the claim is void, its reservation is released, and none of it runs. */
async function endsVoid(name: string, why: RegExp): Promise<void> {
  const { owner } = await world.campaign(name);
  expect(await liveRuns()).toEqual([]);
  expect(await leftOpen(world, name)).toEqual(NOTHING_OPEN);
  const [claim, ...more] = await world.lineage.claims.list(owner);
  expect(more).toEqual([]);
  expect(claim?.void).toMatch(why);
  const { claim: shown } = await statusModel(world.lineage, name);
  expect(shown).toMatchObject({ state: 'void', reason: claim?.void });
  const rows = (await world.lineage.budgets.rows(owner, 1000)).filter(({ role }) => role === 'claim');
  const holds = rows.filter(({ what }) => what === 'claim');
  // a run that began spends from what was held for it
  const begun = new Set(
    rows.flatMap(({ _id, what }) => (what === 'train' ? [_id.replace(/\/\d+$/, '')] : [])),
  );
  expect(begun.size).toBeGreaterThan(0);
  expect(holds).toHaveLength(8 - begun.size);
  for (const { spent, certainty } of holds) expect([spent.acceleratorMs, certainty]).toEqual([0, 'unpaid']);
}

it('a stop in the middle of a claim ends its runs before the campaign, and gives back what it held', async () => {
  const handle = await claiming('stopped');
  await handle.signal('stop', 'now');
  expect(await handle.result()).toMatchObject({ state: 'stopped' });
  await endsVoid('stopped', /^stopped before it was measured$/);
});

it('a terminate in the middle of a claim does the same', async () => {
  await claiming('terminated');
  await assayJson(world, 'terminate', 'terminated', '--yes');
  await endsVoid('terminated', /^the campaign ended before it was measured$/);
});
