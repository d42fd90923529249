import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { campaignActivities } from '../../activities/campaign.js';
import type { HostContext } from '../../src/measure/host-context.js';
import { decideActivities } from '../../activities/decide.js';
import { evaluateActivities } from '../../activities/evaluate.js';
import { modelActivities } from '../../activities/model.js';
import { prepareActivities } from '../../activities/prepare.js';
import { sessionActivities } from '../../activities/session.js';
import { submitActivities } from '../../activities/submit.js';
import { trainActivities } from '../../activities/train.js';
import { workspaceActivities } from '../../activities/workspace.js';
import { systemClock } from '../../src/lineage/clock.js';
import { modelEndpoints } from '../../src/model/endpoints.js';
import { pricesFrom, type PriceTable } from '../../src/model/pricing.js';
import { EDIT_TOOL } from '../../src/model/tools/workspace.js';
import { RealHosts } from '../builders/real-host.js';
import { startScriptedServer, use, type ScriptedServer, type ScriptStep } from '../model/scripted-server.js';
import { openWorld, type World } from '../workflows/world.js';
import { askedServer } from '../../workers/reconciling.js';

let world: World;
let model: ScriptedServer;
let owner: string;
let prices: PriceTable;
let hosts: RealHosts;
beforeAll(async () => {
  world = await openWorld();
  hosts = new RealHosts(world.lineage);
  const edit = { command: 'str_replace', path: 'train.py', old_str: 'X = 1.0', new_str: 'X = 2.0' };
  // a turn may be asked twice, because the second delivery cannot know whether the first will end
  const turn: ScriptStep = ({ body }) => ({
    blocks: [body.messages.length === 1 ? use(EDIT_TOOL, edit) : use('submit_trial', { hypothesis: 'once' })],
  });
  model = await startScriptedServer([turn, turn, turn, turn]);
  prices = await pricesFrom({});
  const orchestrator = {
    lineage: world.lineage,
    bundledTasks: '',
    registeredAttributes: () => Promise.resolve([]),
    defaultModel: 'scripted',
    ...askedServer(world.client),
    workflowFact: () => Promise.resolve('missing' as const),
    prices,
    clock: systemClock,
  };
  const request = {
    input: { task: 'tiny', specialists: ['solo'], rule: 'greedy' },
    name: 'twice',
    namespace: world.namespace,
    firstExecutionRunId: 'run',
  };
  const { campaigns, budgets } = world.lineage;
  const store = campaigns.freeze.bind(campaigns);
  const found: unknown[] = [];
  const freezing = vi.spyOn(campaigns, 'freeze').mockImplementation(async (...of) => {
    found.push(await budgets.find(of[0].owner));
    return store(...of);
  });
  const [frozen, again] = await twice(() => campaignActivities(orchestrator).freeze(request));
  freezing.mockRestore();
  expect(again).toEqual(frozen);
  // whoever finds a campaign reads its budget
  expect(found).not.toContain(null);
  owner = frozen.owner;
  await world.lineage.campaigns.setState(owner, 'running', null);
});
afterAll(async () => {
  await world.stop();
  await model.stop();
  await hosts.remove();
});

/** Two attempts of one activity at the same time, both of which have to end well. */
async function twice<R>(attempt: () => Promise<R>): Promise<[R, R]> {
  const run = (): Promise<R> => new MockActivityEnvironment().run(attempt);
  return Promise.all([run(), run()]);
}

/** Delivers twice at once, where one may be told that the other has overtaken it: Temporal then retries it. */
async function atOnce<R>(...attempts: (() => Promise<R>)[]): Promise<R> {
  const run = (attempt: () => Promise<R>): Promise<R> => new MockActivityEnvironment().run(attempt);
  const ends = await Promise.allSettled(attempts.map(run));
  const results = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
  for (const end of ends)
    if (end.status === 'rejected') expect(end.reason).toMatchObject({ code: 'OVERTAKEN' });
  for (const result of results) expect(result).toEqual(results[0]);
  for (const result of results) return result;
  throw new Error('both attempts failed');
}

async function onTwoHosts<R>(attempt: (host: HostContext) => Promise<R>): Promise<R> {
  const [one, two] = [await hosts.open('one'), await hosts.open('two')];
  return atOnce(
    () => attempt(one),
    () => attempt(two),
  );
}

/** Runs of a phase that really happened. */
const runsOf = (phase: string): string[] => hosts.runs.filter((run) => run.endsWith(`/${phase}`));

it('measures the start once when every step is delivered twice to one host', async () => {
  const start = { owner, number: 0, index: 0, purpose: 'search' } as const;
  const host = await hosts.open('alone');
  const submits = submitActivities({ lineage: world.lineage });
  expect(await twice(() => submits.submitStart({ owner }))).toEqual([{ number: 0 }, { number: 0 }]);
  expect(await twice(() => prepareActivities(host).prepare(start))).toEqual([
    { next: 'train' },
    { next: 'train' },
  ]);
  const [trained, again] = await twice(() => trainActivities(host).train(start));
  expect(again).toEqual(trained);
  if (trained.next !== 'evaluate') throw new Error(trained.next);
  // the second attempt waited for the lease of the first, and then found its result
  expect(runsOf('train')).toHaveLength(1);
  expect((await world.lineage.replicates.get(trained.replicate)).trained?.fence).toBe(1);

  const { replicate } = trained;
  await onTwoHosts((one) => evaluateActivities(one).evaluate({ ...start, replicate }));
  const evaluated = (await world.lineage.replicates.get(trained.replicate)).evaluated;
  expect(evaluated?.metrics).toEqual({ loss: 4 });
  const decides = decideActivities({ lineage: world.lineage });
  const kept = { number: 0, status: 'keep', score: 4 };
  expect(await twice(() => decides.decide({ ...start, interruption: null }))).toEqual([kept, kept]);
  expect(await world.lineage.decisions.frontier(owner)).toMatchObject({ trial: 0, frontier: { version: 1 } });
});

it('takes one number for a conversation whose every step is delivered twice', async () => {
  const { lineage } = world;
  const sessions = sessionActivities({ lineage });
  const of = { owner, role: 'solo', lane: 'solo-1', index: 0, purpose: 'search' } as const;
  const [opened, reopened] = await twice(() => sessions.openSession(of));
  expect(reopened).toEqual(opened);
  if (opened.kind !== 'open') throw new Error(opened.kind);
  const endpoints = modelEndpoints({
    offlineUrl: '',
    baseUrl: model.url,
    apiKey: 'test-key',
    auth: 'bearer',
  });
  const turns = modelActivities({ lineage, endpoints, prices });
  const workspace = workspaceActivities({ lineage, check: null });
  for (const turn of [0, 1]) {
    const at = { owner, session: opened.session, turn };
    const attempt = () => turns.takeTurn(at);
    const reply = await atOnce(attempt, attempt);
    expect(await twice(attempt)).toEqual([reply, reply]);
    await twice(() => workspace.runTools(at));
  }
  const submits = submitActivities({ lineage });
  const accepted = { kind: 'accepted', number: 1 };
  const call = { owner, session: opened.session, turn: 1, index: 0 };
  expect(await twice(() => submits.submitTrial(call))).toEqual([accepted, accepted]);
  expect(await lineage.trials.totals(owner)).toEqual({ submitted: 1, counted: 1 });
  expect((await lineage.sessions.get(opened.session)).submitted).toEqual([1]);
  expect((await lineage.budgets.get(owner)).open).toEqual({});
});

it('gives one result to a trial whose training and scoring are delivered to two hosts at once', async () => {
  const of = { owner, number: 1, index: 0, purpose: 'search' } as const;
  const trained = await onTwoHosts((host) => trainActivities(host).train(of));
  if (trained.next !== 'evaluate') throw new Error(trained.next);
  const replicate = await world.lineage.replicates.get(trained.replicate);
  // which of the two is the later one is chance; that no earlier one's result stands is not. The later one may publish
  // what the first had kept, without a run of its own
  const fences = runsOf('train')
    .filter((run) => run.includes(`${trained.replicate}/`))
    .map((run) => Number(run.split('/').at(-2)));
  expect(fences.length).toBeLessThanOrEqual(2);
  expect(replicate.trained?.fence).toBeGreaterThanOrEqual(Math.max(...fences));
  await onTwoHosts((host) => evaluateActivities(host).evaluate({ ...of, replicate: replicate._id }));
  const decides = decideActivities({ lineage: world.lineage });
  const kept = { number: 1, status: 'keep', score: 1 };
  expect(await twice(() => decides.decide({ ...of, interruption: null }))).toEqual([kept, kept]);
  expect(await world.lineage.decisions.frontier(owner)).toMatchObject({ trial: 1, frontier: { version: 2 } });
  const trial = await world.lineage.trials.require(owner, 1);
  expect(trial.replicates).toEqual([trained.replicate]);
  const { active } = await world.campaign('twice');
  expect(active).toEqual({});
  expect((await world.lineage.budgets.get(owner)).open).toEqual({});
});
