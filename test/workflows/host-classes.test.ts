import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { evaluateActivities } from '../../activities/evaluate.js';
import { prepareActivities } from '../../activities/prepare.js';
import { trainActivities, type RunRef } from '../../activities/train.js';
import { workspaceActivities } from '../../activities/workspace.js';
import { systemClock } from '../../src/lineage/clock.js';
import { replicateKey } from '../../src/lineage/trials/replicates.js';
import type { HostContext } from '../../src/measure/host-context.js';
import { failureInterceptor } from '../../workers/failures.js';
import { pushTask } from '../bad-input/test-task.js';
import { MACHINE } from '../builders/machine.js';
import { RealHosts } from '../builders/real-host.js';
import { startScriptedServer, use, type ScriptedServer, type ScriptStep } from '../model/scripted-server.js';
import { edit } from './script.js';
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
/** Lets the model propose. */
let release: () => void;
let released: Promise<void>;

const FROM = 'X = 1.0';
/** What lanes propose, each something else. */
let knobs: string[];
/** A turn of a lane, of which several propose at once. */
const proposes: ScriptStep = async ({ body }) => {
  await released;
  return body.messages.length > 1 ? submission : edit(FROM, knobs.shift() ?? FROM);
};
const submission = { blocks: [use('submit_trial', { hypothesis: 'further away', expected_delta: -1 })] };

beforeAll(async () => {
  world = await openWorld();
  hosts = new RealHosts(world.lineage);
  await pushTask(world, 'biased', (yaml) => yaml, { 'recipe/train.py': BIASED });
  model = await startScriptedServer(Array.from({ length: 6 }, () => proposes));
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

/** Serves trainings, which hosts take in turn. */
function trains(hosts: readonly HostContext[]): Promise<() => Promise<void>> {
  const each = hosts.map((host) => trainActivities(host));
  let taken = 0;
  return serve('assay-train-cpu-x1', {
    train: (of: RunRef) => each[taken++ % each.length]?.train(of),
  });
}

/** Serves checks and evaluations. */
const evaluates = (host: HostContext) =>
  serve('assay-eval-cpu', {
    ...prepareActivities(host),
    ...evaluateActivities(host),
    ...workspaceActivities({ lineage: world.lineage, check: null }),
  });

/** Runs a campaign whose start one host measures, and whose trials others do. */
async function run(
  name: string,
  specialists: string[],
  { home, others }: { home: HostContext; others: readonly HostContext[] },
): Promise<void> {
  knobs = ['X = 0.5', 'X = 0.25'];
  released = new Promise((resolve) => (release = resolve));
  const evaluating = await evaluates(home);
  const first = await trains([home]);
  const trials = specialists.length;
  await world.start(name, { task: 'biased', model: 'scripted', specialists, trials, hostClasses: 'any' });
  const start = () => world.campaign(name).then(({ owner }) => world.lineage.trials.get(owner, 0));
  await until('the start to be measured', async () => {
    const found = await start().catch(() => null);
    return found?.status === 'keep' ? true : null;
  });
  await first();
  const second = await trains(others);
  release();
  await until('the campaign to finish', async () =>
    (await world.campaign(name)).state === 'finished' ? true : null,
  );
  await second();
  await evaluating();
}

it('measures the start on another class of hosts before it compares a trial that was measured there', async () => {
  const home = await hosts.open('home', MACHINE, { BIAS: '0' });
  const larger = await hosts.open('larger', { ...MACHINE, memoryGib: 64 }, { BIAS: '1' });
  await run('classes', ['solo'], { home, others: [larger] });

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

it('measures the start on a class once where two trials need it at once', async () => {
  const home = await hosts.open('origin', MACHINE, { BIAS: '0' });
  const machine = { ...MACHINE, memoryGib: 128 };
  const others = [
    await hosts.open('one', machine, { BIAS: '1' }),
    await hosts.open('two', machine, { BIAS: '1' }),
  ];
  await run('at-once', ['solo', 'duo'], { home, others });

  expect((await world.trials('at-once')).map(({ status }) => status)).toEqual(['discard', 'discard']);
  const { owner, hostClasses } = await world.campaign('at-once');
  const hostClass = hostClasses.find(({ work, is }) => work === 'train' && is.memoryGib === 128)?.id ?? '';
  const { snapshot } = await world.lineage.trials.require(owner, 0);
  const control = { owner, snapshot, purpose: 'control', index: 0, hostClass } as const;
  const { fence, faults, shift } = await world.lineage.replicates.get(replicateKey(control));
  // one attempt at its training, one at its evaluation
  expect({ fence, faults, shift }).toEqual({ fence: 2, faults: [], shift: {} });
}, 180_000);
