import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { fieldOf } from '../../src/domain/keys.js';
import { openWorld, until, type World } from '../workflows/world.js';
import { startEndlessModel } from './endless-model.js';
import { processesOf } from './run-processes.js';

const LANES = [{ role: 'solo', lanes: 10 }];
const QUIET_MS = 3000;

const write = (x: number): string => `
with open(os.path.join(os.environ["ASSAY_OUTPUT"], "x.json"), "w") as file:
    json.dump({"x": ${x}}, file)
`;
/** Half a second of training. */
const short = (n: number): string => `import json, os, time\ntime.sleep(0.5)\n${write(n)}`;
/** A minute of training that ignores SIGTERM and has a child in its own session. */
const stubborn = (n: number): string => `import json, os, signal, subprocess, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(["sleep", "55"], start_new_session=True)
time.sleep(55)
${write(n)}`;

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.stop());

/** Ten lanes whose every proposal is that recipe, on one worker that has one slot. */
async function tenLanes(name: string, recipe: (n: number) => string) {
  const model = await startEndlessModel((n) => ({ path: 'train.py', text: recipe(n) }));
  const worker = world.worker({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' });
  // the workers of one test would ask its model on behalf of the next
  onTestFinished(async () => {
    await worker.kill('SIGKILL');
    await model.stop();
  });
  await worker.ready;
  return world.start(name, { task: 'tiny', model: 'endless', specialists: LANES, trials: 500 });
}

/** Keys of the trainings that were charged so far: each that began has a row of its cost when it is over. */
async function trained(owner: string): Promise<Set<string>> {
  const rows = await world.lineage.budgets.rows(owner, 10_000);
  return new Set(
    rows.filter((row) => row.what === 'train' && row.certainty !== 'unpaid').map((row) => row._id),
  );
}

/** Reads once the document that holds both the acknowledged control and the work that may still run. */
async function acknowledged(name: string): Promise<{ owner: string; allowed: Set<string> }> {
  const campaign = await until('the pause to be acknowledged', async () => {
    for (let look = 0; look < 20; look += 1) {
      const found = await world.campaign(name);
      if (found.control === 'paused') return found;
      await sleep(5);
    }
    return null;
  });
  const allowed = Object.entries(campaign.active).map(([field, work]) => `${field}/${work.fence}`);
  return { owner: campaign.owner, allowed: new Set(allowed) };
}

it('starts no training of ten lanes on one device after a pause was acknowledged, time and again', async () => {
  const handle = await tenLanes('pausing', short);
  for (let round = 1; round <= 4; round += 1) {
    await until('a training to run', async () => {
      const campaign = await world.campaign('pausing').catch(() => null);
      const works = Object.values(campaign?.active ?? {});
      return works.some((work) => work.what === 'train' && work.trial > 0) || null;
    });
    // another moment of the training in every round
    await sleep(170 * round);
    await handle.signal('pause');
    const { owner, allowed } = await acknowledged('pausing');
    const before = await trained(owner);
    const running = new Set<string>();
    for (const quietFrom = Date.now(); Date.now() < quietFrom + QUIET_MS;) {
      for (const { run } of await processesOf(owner)) if (run.endsWith('/train')) running.add(run);
      await sleep(20);
    }
    for (const run of running) {
      const key = run.slice(run.indexOf(owner), -'/train'.length);
      expect(allowed).toContain(fieldOf(key));
    }
    for (const key of await trained(owner))
      expect(before.has(key) || allowed.has(fieldOf(key)), `${key} began after the pause`).toBe(true);
    await handle.signal('resume');
  }
  await handle.signal('stop', { mode: 'now' });
  await handle.result();
}, 300_000);

it('records none of ten lanes’ trials as cancelled before its processes are dead', async () => {
  const handle = await tenLanes('stopping', stubborn);
  await until('the stubborn training and its child', async () => {
    const { owner } = await world.campaign('stopping').catch(() => ({ owner: null }));
    if (owner === null) return null;
    const running = (await processesOf(owner)).filter(({ run }) => run.endsWith('/train'));
    const { submitted } = await world.lineage.trials.totals(owner);
    return (running.length >= 2 && submitted === 10) || null;
  });
  await handle.signal('stop', { mode: 'now' });
  const over = handle.result().then(() => true);
  const cancelled = new Set<number>();
  while (!(await Promise.race([over, sleep(5, false)]))) {
    for (const { number, status, replicates } of await world.trials('stopping')) {
      if (status === null || cancelled.has(number)) continue;
      cancelled.add(number);
      expect(status).toBe('cancelled');
      for (const key of replicates) expect(await processesOf(`${key}/`)).toEqual([]);
    }
  }
  expect((await world.trials('stopping')).map((trial) => trial.status)).toEqual(Array(10).fill('cancelled'));
  const { owner, active } = await world.campaign('stopping');
  expect(await processesOf(owner)).toEqual([]);
  expect(active).toEqual({});
  expect((await world.lineage.budgets.get(owner)).open).toEqual({});
}, 300_000);
