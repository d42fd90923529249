import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { loadTask } from '../../src/tasks/load.js';
import { TINY } from '../fixtures/tiny.js';
import { startScriptedServer, use, type ScriptedServer, type ScriptStep } from '../model/scripted-server.js';
import { turnKnob } from '../workflows/script.js';
import { openWorld, until, type World } from '../workflows/world.js';

const ASSAY = fileURLToPath(new URL('../../bin/assay.js', import.meta.url));

/** Every lane trains something else, slowly; the model `overloaded` never answers. */
let knobs = 0;
const step: ScriptStep = ({ body }) => {
  if (body.model === 'overloaded')
    return { error: { status: 529, type: 'overloaded_error', message: 'too many of you' } };
  if (body.messages.length > 1)
    return { blocks: [use('submit_trial', { hypothesis: 'slow', expected_delta: -1 })] };
  knobs += 1;
  const slow = turnKnob('X = 1.0  # knob: -10..10\nSLEEP = 0.0', `X = ${1 + knobs / 10}\nSLEEP = 50.0`);
  return typeof slow === 'function' ? slow({ body, headers: {} }) : slow;
};

let world: World;
let model: ScriptedServer;
let trainer: ReturnType<typeof assay>;
const workers: ReturnType<typeof assay>[] = [];
/** A machine under load is slow, and every question starts a process. */
const LONG = { timeout: 300_000 };
beforeAll(async () => {
  world = await openWorld();
  model = await startScriptedServer(Array.from({ length: 2000 }, () => step));
  await pushBroken(world);
});
afterAll(async () => {
  for (const worker of workers) {
    worker.kill('SIGKILL');
    await worker;
  }
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

function assay(args: readonly string[], env: Record<string, string> = {}) {
  return execa(process.execPath, [ASSAY, ...args], {
    reject: false,
    env: { ...world.env, NO_COLOR: '1', ...env },
  });
}

/** Starts a worker process; what is asked afterwards shows whether it polls. */
function worker(host: string, ...args: string[]): ReturnType<typeof assay> {
  const env = { ASSAY_HOST: host, ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' };
  const child = assay(['worker', ...args], env);
  workers.push(child);
  return child;
}

const statusSchema = z.looseObject({
  schema: z.string(),
  state: z.string(),
  reason: z.string().nullable().optional(),
  unexamined: z.string().nullable().optional(),
  standstill: z.array(
    z.object({
      what: z.string(),
      id: z.string(),
      text: z.string(),
      about: z.array(z.string()),
      since: z.string().nullable(),
      remedy: z.string().nullable(),
    }),
  ),
});
type Status = z.infer<typeof statusSchema>;

async function statusOf(name: string, env: Record<string, string> = {}): Promise<Status> {
  const { stdout, exitCode, stderr } = await assay(['status', name, '--json'], env);
  if (exitCode !== 0) throw new Error(`status ended with ${exitCode ?? 'a signal'}: ${stderr}`);
  return statusSchema.parse(JSON.parse(stdout));
}

/** Asks the real command until it gives a reason of this kind. */
async function told(
  name: string,
  what: string,
  also: (reason: Status['standstill'][0]) => boolean = () => true,
): Promise<{ status: Status; reason: Status['standstill'][0] }> {
  let last: Status | null = null;
  return until(`${name} to be told ${what}`, async () => {
    const status = await statusOf(name).catch(() => null);
    last = status ?? last;
    const reason = status?.standstill.find((each) => each.what === what && also(each));
    return status === null || reason === undefined ? null : { status, reason };
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}; last seen: ${JSON.stringify(last)}`);
  });
}

const base = { task: 'tiny', specialists: ['solo'], trials: 20, trainHeartbeatSeconds: 30 };

it(
  'says of a campaign that no worker has taken up that nobody polls the queue of workflows',
  LONG,
  async () => {
    await world.start('waiting', { ...base, model: 'overloaded' });
    await world.start('broken', { ...base, task: 'broken', model: 'scripted' });
    const { status, reason } = await told('waiting', 'no_worker');
    expect(status).toMatchObject({ schema: 'assay.unbegun/1', state: 'preparing' });
    expect(reason).toMatchObject({
      id: 'no_worker:assay',
      text: 'the campaign waits for a worker on queue assay, which nobody polls',
      remedy: '`assay worker`, or `assay dev`, runs one.',
    });
  },
);

it(
  'says which trial waits for a worker on a queue that nobody polls while others are polled',
  LONG,
  async () => {
    void worker('host-o', 'orchestrator', 'model', 'evaluator');
    const { status, reason } = await told('waiting', 'no_worker');
    expect(status).toMatchObject({ schema: 'assay.status/1', state: 'waiting', reason: reason.text });
    expect(reason).toMatchObject({
      id: 'no_worker:assay-train-cpu',
      text: 't00000 waits for a worker on queue assay-train-cpu, which nobody polls',
      about: ['t00000'],
      remedy: '`assay worker trainer --pool cpu` runs one.',
    });
  },
);

it('says that the server was not examined when it cannot be reached, and shows the rest', LONG, async () => {
  const status = await statusOf('waiting', { TEMPORAL_ADDRESS: '127.0.0.1:1' });
  expect(status).toMatchObject({ state: 'calibrating', standstill: [] });
  expect(status.unexamined).toContain('nothing answers at 127.0.0.1:1');
});

it('names the failing evaluator with its words and the next attempt', LONG, async () => {
  trainer = worker('host-t', 'trainer', '--slots', '1');
  const { reason } = await told('broken', 'retrying');
  expect(reason.text).toMatch(
    /^t00000: evaluation failed .*EVALUATOR_FAULT: .*"broken" failed.*; attempt \d+ /,
  );
  expect(reason.about).toEqual(['t00000']);
});

it('names the provider that does not answer, in status and once in watch', LONG, async () => {
  const { status, reason } = await told('waiting', 'provider');
  expect(reason.text).toMatch(
    /^solo-1 waits for the provider: MODEL_OVERLOADED: .*529: too many of you; attempt \d+ /,
  );
  expect(status.state).toBe('waiting');
  const watching = assay(['watch', 'waiting', '--json']);
  const lines: unknown[] = [];
  for await (const line of watching) {
    lines.push(JSON.parse(line));
    if (line.includes('"standstill"')) break;
  }
  watching.kill('SIGINT');
  await watching;
  expect(lines.at(-1)).toMatchObject({
    event: 'standstill',
    reasons: [{ what: 'provider', about: ['solo-1'] }],
  });
});

it('says which trials wait for a slot, and who holds it, while one of ten lanes trains', LONG, async () => {
  await world.start('lanes', { ...base, model: 'scripted', specialists: [{ role: 'solo', lanes: 10 }] });
  const { status, reason } = await told('lanes', 'lease', (each) => each.about.length > 1);
  expect(status.state).toBe('running');
  expect(reason.id).toBe('lease:assay-train-cpu');
  expect(reason.text).toMatch(/ wait(?:s)? for a slot of pool cpu, held by t000\d\d on host-t:\d+$/);
  const [holder] = /t\d{5}(?= on host-t)/.exec(reason.text) ?? [];
  expect(reason.about).not.toContain(holder);
});

it('counts down for a killed worker, and says that a stop waits for it', LONG, async () => {
  const pid = trainer.pid ?? 0;
  trainer.kill('SIGKILL');
  await trainer;
  const { reason } = await told('lanes', 'lost_worker');
  expect(reason.text).toMatch(
    new RegExp(
      `^t\\d{5}: its worker host-t:${pid} has not been heard of for \\d+ s; the work is free to be taken over when 30 s are over \\(in \\d+ s\\), but nobody else polls assay-train-cpu$`,
    ),
  );
  await world.client.workflow.getHandle('lanes').signal('stop', 'now');
  const { reason: stopping } = await told('lanes', 'stopping');
  expect(stopping.text).toMatch(
    new RegExp(
      `^still ending: t\\d{5} on host-t:${pid}, which has not been heard of for \\d+ s; it counts as dead in \\d+ s$`,
    ),
  );
  await world.client.workflow.getHandle('lanes').result();
  const ended = await statusOf('lanes');
  expect(ended).toMatchObject({ state: 'stopped', standstill: [] });
});
