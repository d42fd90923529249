import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { evaluateActivities } from '../../activities/evaluate.js';
import { prepareActivities } from '../../activities/prepare.js';
import { trainActivities } from '../../activities/train.js';
import { workspaceActivities } from '../../activities/workspace.js';
import { systemClock } from '../../src/lineage/clock.js';
import type { HostContext } from '../../src/measure/host-context.js';
import { failureInterceptor } from '../../workers/failures.js';
import { pushTask } from '../bad-input/test-task.js';
import { MACHINE } from '../builders/machine.js';
import { RealHosts } from '../builders/real-host.js';
import { startScriptedServer, type ScriptedServer } from '../model/scripted-server.js';
import { edit, submit } from './script.js';
import { openWorld, until, type World } from './world.js';

/** Scores depend on the host: the loss is (X + BIAS - 3)². */
const BIASED = `
import json, os
X = 1.0  # knob: -10..10
with open(os.path.join(os.environ["ASSAY_OUTPUT"], "x.json"), "w") as file:
    json.dump({"x": X + float(os.environ["BIAS"])}, file)
`;

let world: World;
let model: ScriptedServer;
let hosts: RealHosts;
let connection: NativeConnection;
/** The model proposes only then. */
let release: () => void = () => undefined;
const released = new Promise<void>((resolve) => (release = resolve));

beforeAll(async () => {
  world = await openWorld();
  hosts = new RealHosts(world.lineage);
  await pushTask(world, 'biased', (yaml) => yaml, { 'recipe/train.py': BIASED });
  model = await startScriptedServer([
    async () => {
      await released;
      return edit('X = 1.0', 'X = 0.5');
    },
    submit('further away'),
  ]);
  const answers = { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' };
  await world.fleet(answers, systemClock, ['orchestrator', 'model']);
  // a fleet sets up what connections log to, and has to come first
  connection = await NativeConnection.connect({ address: inject('temporalAddress') });
}, 120_000);
afterAll(async () => {
  await world.stop();
  await model.stop();
  await hosts.remove();
  await connection.close();
});

/** Serves a queue until it is told to stop. */
async function serve(taskQueue: string, activities: object): Promise<() => Promise<void>> {
  const { namespace } = world;
  const interceptors = { activity: [failureInterceptor] };
  const worker = await Worker.create({ connection, namespace, taskQueue, activities, interceptors });
  const running = worker.run();
  return async () => {
    worker.shutdown();
    await running;
  };
}

const trains = (host: HostContext) => serve('assay-train-cpu-x1', trainActivities(host));

it('measures the start on another class of hosts before it compares a trial that was measured there', async () => {
  const home = await hosts.open('home', MACHINE, { BIAS: '0' });
  const larger = await hosts.open('larger', { ...MACHINE, memoryGib: 64 }, { BIAS: '1' });
  const evaluating = await serve('assay-eval-cpu', {
    ...prepareActivities(home),
    ...evaluateActivities(home),
    ...workspaceActivities({ lineage: world.lineage, check: null }),
  });
  const first = await trains(home);
  const input = { task: 'biased', model: 'scripted', specialists: ['solo'], trials: 1, hostClasses: 'any' };
  await world.start('classes', input);
  const start = () => world.campaign('classes').then(({ owner }) => world.lineage.trials.get(owner, 0));
  await until('the start to be measured', async () => {
    const found = await start().catch(() => null);
    return found?.status === 'keep' ? true : null;
  });
  await first();
  const second = await trains(larger);
  release();
  await until('the campaign to finish', async () =>
    (await world.campaign('classes')).state === 'finished' ? true : null,
  );
  await second();
  await evaluating();

  // 2.25 where it was measured, where the start scores 1 and not 4: it is worse, though 2.25 is less than 4
  const [trial] = await world.trials('classes');
  expect([trial?.status, trial?.outcome?.score]).toEqual(['discard', 5.25]);
  const { hostClasses, owner } = await world.campaign('classes');
  const [train, , other] = hostClasses;
  expect(hostClasses.map(({ work, is, shift }) => [work, is.memoryGib, shift])).toEqual([
    ['train', 16, {}],
    ['evaluate', 16, {}],
    ['evaluate', 16, {}],
    ['train', 64, { loss: 3 }],
  ]);
  expect([train?.trainedBy, other?.trainedBy]).toEqual(['', hostClasses[3]?.id]);
  const [measured] = await world.lineage.replicates.many(trial?.replicates ?? []);
  expect([measured?.hostClass, measured?.evaluated?.metrics, measured?.shift]).toEqual([
    hostClasses[3]?.id,
    { loss: 2.25 },
    { loss: 3 },
  ]);
  expect(await world.lineage.decisions.frontier(owner)).toMatchObject({ trial: 0 });
}, 180_000);
