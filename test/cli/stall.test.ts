import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadTask } from '../../src/tasks/load.js';
import { TINY } from '../fixtures/tiny.js';
import { startScriptedServer, type ScriptedServer, type ScriptStep } from '../model/scripted-server.js';
import { openWorld, until, type World } from '../workflows/world.js';
import { BASE, LONG, Person } from './person.js';

/** A provider that never answers. */
const step: ScriptStep = {
  error: { status: 529, type: 'overloaded_error', message: 'too many of you' },
};

let world: World;
let model: ScriptedServer;
let person: Person;
beforeAll(async () => {
  world = await openWorld();
  model = await startScriptedServer(Array.from({ length: 2000 }, () => step));
  person = new Person(world, model);
  await pushBroken(world);
});
afterAll(async () => {
  await person.stop();
  await world.stop();
  await model.stop();
});

/** The tiny task with an evaluator that fails. */
async function pushBroken({ lineage }: World): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-broken-'));
  await cp(TINY, folder, { recursive: true });
  const spec = await readFile(join(folder, 'task.yaml'), 'utf8');
  await writeFile(join(folder, 'task.yaml'), spec.replace('name: tiny', 'name: broken'));
  await writeFile(join(folder, 'evaluator/evaluate.py'), 'raise SystemExit("no ruler")\n');
  const task = await loadTask(folder);
  await lineage.tasks.push(task.spec, task.files, 'person');
  await rm(folder, { recursive: true });
}

it(
  'says of a campaign that no worker has taken up that no worker polls the queue of workflows',
  LONG,
  async () => {
    await world.start('waiting', { ...BASE, model: 'overloaded' });
    await world.start('broken', { ...BASE, task: 'broken', model: 'scripted' });
    const { status, reason } = await person.told('waiting', 'no_worker:assay');
    expect(status).toMatchObject({ schema: 'assay.not-started/1', state: 'preparing' });
    expect(reason).toMatchObject({
      id: 'no_worker:assay',
      text: 'the campaign waits for a worker on queue assay, which no worker polls',
      remedy: '`assay worker`, or `assay dev`, runs one.',
    });
  },
);

it(
  'says which trial waits for a worker on a queue that no worker polls while others are polled',
  LONG,
  async () => {
    void person.worker('host-o', 'orchestrator', 'model', 'evaluator');
    const { status, reason } = await person.told('waiting', 'no_worker:assay-train-cpu-x1');
    expect(status).toMatchObject({ schema: 'assay.status/1', state: 'waiting', reason: reason.text });
    expect(reason).toMatchObject({
      id: 'no_worker:assay-train-cpu-x1',
      text: 't00000 waits for a worker on queue assay-train-cpu-x1, which no worker polls',
      about: ['t00000'],
      remedy: '`assay worker trainer --pool cpu` runs one.',
    });
  },
);

it('says that the server was not examined when it cannot be reached, and shows the rest', LONG, async () => {
  const status = await person.status('waiting', { TEMPORAL_ADDRESS: '127.0.0.1:1' });
  expect(status).toMatchObject({ state: 'calibrating', stall: [] });
  expect(status.unexamined).toContain('nothing answers at 127.0.0.1:1');
});

it(
  'says that a failing evaluator blocks it, quotes it, and names the command that resumes it',
  LONG,
  async () => {
    void person.worker('host-t', 'trainer', '--slots', '1');
    // work is held at once, and the campaign takes the state a moment later
    await until('the campaign to be blocked', async () =>
      (await world.campaign('broken')).state === 'blocked' ? true : null,
    );
    const { status, reason } = await person.told('broken', 'blocked');
    expect(status.state).toBe('blocked');
    expect(reason.text).toMatch(/^blocked: evaluating trial 0: .*the evaluator of "broken" failed.*no ruler/);
    expect(reason.remedy ?? reason.text).toContain('`assay resume');
  },
);

it('names the provider that does not answer, in status and once in watch', LONG, async () => {
  const { status, reason } = await person.told('waiting', 'provider');
  expect(reason.text).toMatch(
    /^solo-1 waits for the provider: MODEL_OVERLOADED: .*529: too many of you; attempt \d+ /,
  );
  expect(status.state).toBe('waiting');
  const line = await person.toldInWatch('waiting');
  expect(line).toMatchObject({
    event: 'stall',
    reasons: [{ what: 'provider', about: ['solo-1'] }],
  });
});
