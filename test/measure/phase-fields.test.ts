import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { leaseBoundMs, phaseSeconds } from '../../src/domain/task/bounds.js';
import { requiredFiles } from '../../src/domain/task/artifact.js';
import { packClock, trainClock } from '../../src/domain/task/phase-clock.js';
import { seenBy } from '../../src/domain/task/phase-key.js';
import { evaluationLimit } from '../../src/domain/task/rehearsal.js';
import { exclusiveEvaluation, taskSchema, type Task } from '../../src/domain/task/task.js';
import { DeviceLease } from '../../src/devices/device-lease.js';
import { openLineage, type Lineage } from '../../src/lineage/lineage.js';
import type { HostContext } from '../../src/measure/host-context.js';
import { cacheSeen, packCall, trainCall } from '../../src/measure/phases/calls.js';
import { artifactLimits, cacheLimits, requestOf } from '../../src/measure/phases/phase.js';
import { runPrewarm } from '../../src/measure/phases/prewarm-phase.js';
import { trainingFolders } from '../../src/measure/phases/training.js';
import { preflight } from '../../src/measure/preflight.js';
import { requestsOf } from '../../src/measure/score-sealed.js';
import type { RunRequest } from '../../src/sandbox/run.js';
import type { HostedTask } from '../../src/tasks/host.js';
import { hostContext } from '../builders/host-context.js';

/** A task that has every phase, in a pool whose hosts have accelerators. */
const TASK = {
  schema: 'assay.task/1',
  name: 'whole',
  title: 'whole',
  metric: { name: 'loss', unit: '', direction: 'minimize' },
  recipe: { editable: ['*'] },
  data: { prepare: 'prepare.py', train: 'train/', search: 'search/' },
  resources: { pool: 'gpu', gpus: 2, cpus: 8 },
  phases: {
    check: { run: 'check', timeout_s: 10 },
    smoke: { run: 'smoke', timeout_s: 10 },
    prewarm: { run: 'warm', timeout_s: 10, output: 'cache/' },
    train: {
      run: 'train',
      timeout_s: 60,
      clock: { from: 'ready', warmup_timeout_s: 20, budget_s: 30 },
      output: 'out/',
      reads: ['train.py', 'train/', 'cache/'],
    },
    pack: { run: 'pack', timeout_s: 10, output: 'artifact/', reads: ['pack.py', 'out/'] },
    serve: { run: 'serve', startup_s: 10 },
  },
  scoring: 'served',
  evaluate: { run: 'evaluate', timeout_s: 10 },
  specialists: ['solo'],
};

/** Another value of each field, by its whole path or by its last names. */
const OTHER: Readonly<Record<string, unknown>> = {
  run: 'other',
  // within budget and tolerance
  'phases.train.timeout_s': 31,
  timeout_s: 35,
  'resources.cpus': 1,
  'resources.memory_mb': 999,
  'resources.shm_mb': 9,
  'resources.disk_mb': 99,
  'resources.processes': 9,
  data: 'synthetic',
  gpus: 1,
  reads: ['other.py'],
  // a name of its own changes nothing; that of another output is refused
  'phases.pack.output': 'out/',
  output: 'other/',
  'clock.from': 'data_visible',
  warmup_timeout_s: 21,
  budget_s: 9,
  tolerance_s: 0.5,
  startup_s: 11,
  twins: true,
  env: { A: 'b' },
  exclusive: true,
  artifact: ['x'],
};

/** Fields that are looked at while something runs, and where a test shows what each does. */
const SHOWN_BY: Readonly<Record<string, [file: string, by: RegExp]>> = {
  'phases.profile.run': ['measure/workbench/probe.test.ts', /runs the profile of a task/],
  'phases.profile.timeout_s': ['measure/workbench/probe.test.ts', /profile of a task at its timeout_s/],
  'phases.train.progress.metric': ['workflows/savings.slow.test.ts', /by its own progress: loss /],
  ...Object.fromEntries(
    ['direction', 'stop.after', 'stop.spread', 'stop.spreads', 'stop.catch_up'].map((name) => [
      `phases.train.progress.${name}`,
      ['domain/savings.test.ts', new RegExp(`\\b${name.replace('stop.', '')}\\b`)],
    ]),
  ),
  'evaluate.rehearsal.share': ['workflows/rehearsal.slow.test.ts', /rehearsal: \{ share: 0\.25/],
  'evaluate.rehearsal.limit_s': ['workflows/rehearsal.slow.test.ts', /limit_s: \$\{LIMIT_S\}/],
};

const node = z.record(z.string(), z.unknown());

/** Lists the fields below a node of a JSON schema that hold no fields themselves. */
function leaves(of: unknown, path: string): string[] {
  const properties = node.safeParse(node.parse(of)['properties']).data;
  if (properties === undefined) return [path];
  return Object.entries(properties).flatMap(([name, field]) => leaves(field, `${path}.${name}`));
}
const fields = ((): string[] => {
  const properties = node.parse(z.toJSONSchema(taskSchema, { io: 'input' })['properties']);
  return ['phases', 'evaluate'].flatMap((name) => leaves(properties[name], name));
})();

const otherOf = (path: string): unknown => {
  const name = Object.keys(OTHER).find((key) => path === key || path.endsWith(`.${key}`));
  return name === undefined ? undefined : OTHER[name];
};

/** The task with another value of a field, as people would write it. */
function changed(path: string, value: unknown): unknown {
  const within = (of: unknown, [name = '', ...rest]: readonly string[]): unknown => ({
    ...node.parse(of ?? {}),
    [name]: rest.length === 0 ? value : within(node.parse(of ?? {})[name], rest),
  });
  return within(TASK, path.split('.'));
}

let folder: string;
let lineage: Lineage;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-fields-'));
  lineage = await openLineage({ url: inject('storeUrl'), database: `phase_fields_${process.pid}` });
});
afterAll(async () => {
  await lineage.close();
  await rm(folder, { recursive: true, force: true });
});

/** Everything that assay would run of a task, and how. */
async function observed(spec: Task): Promise<string> {
  const asked: unknown[] = [];
  const note = ({ id, command, env, limits, readable, writable, cwd, devices, ...rest }: RunRequest) =>
    asked.push({
      ...{ id, command, env, limits, readable, writable, cwd, devices },
      ...{ warmupS: rest.warmupS, cache: rest.cache, signals: rest.signals?.map(({ word }) => word) },
    });
  const context = await contextOf(note);
  const hosted = hostedOf(spec);
  const { signal } = new AbortController();
  const snapshot = await lineage.blobs.putTree([{ path: 'train.py', bytes: Buffer.from('pass\n') }]);
  const files = await lineage.blobs.tree(snapshot);
  await preflight(context, hosted, snapshot, signal);
  const to = join(folder, 'warm');
  await rm(to, { recursive: true, force: true });
  await runPrewarm(context, hosted, { name: 'warm', id: 'warm', files, to }, signal);
  noteTraining(context, hosted, note);
  const requests = await requestsOf(context, hosted, SCORING, { folders: await scoringFolders(), signal });
  for (const request of [requests.server, requests.twin, requests.evaluator])
    if (request !== null) note(request);
  const rest = {
    startups: [requests.server?.startupS, requests.twin?.startupS],
    clocks: [trainClock(spec, null), packClock(spec, null)],
    bounds: [
      phaseSeconds(spec, null),
      leaseBoundMs(spec, null, { trained: false, packed: false, warm: false }),
    ],
    seen: [seenBy(spec, 'prewarm'), seenBy(spec, 'train'), seenBy(spec, 'pack')],
    sealed: [cacheLimits(hosted), artifactLimits(hosted)],
    evaluation: [exclusiveEvaluation(spec), requiredFiles(spec), evaluationLimit(spec)],
  };
  return JSON.stringify([asked, rest], null, 1)
    .replace(/(check|serve)-[0-9a-f]{16}/g, '$1')
    .replace(/"ASSAY_TRAIN_BEGAN": "[^"]*"/g, '');
}

async function contextOf(note: (request: RunRequest) => void): Promise<HostContext> {
  const { sandbox } = await hostContext(lineage);
  const { isolation } = sandbox;
  const base = await hostContext(lineage, {
    folder,
    run: (request) => {
      note(request);
      const spent = { wallMs: 1, startedAt: new Date(0), hostSpeed: 1, cpuS: 1, load: 0, peakRssBytes: 0 };
      const ending = { kind: 'exited', code: 0 } as const;
      return Promise.resolve({ ending, ...spent, log: '', logBytes: 0, isolation });
    },
  });
  return { ...base, granted: new DeviceLease([], ACCESSES, ASKED_NOTHING) };
}

/** Access to the first of the two accelerators of a lease, and to both. */
const ACCESSES = [['a'], ['a', 'b']].map((uuids) => ({ uuids, nodes: [], readable: [] }));
const never = (): never => {
  throw new Error('nothing runs on this lease');
};
const ASKED_NOTHING = {
  ...{ look: never, patientLook: never, lostBecause: never, untilFree: never, isIll: never, putAway: never },
  sampleEveryMs: 1000,
};

const PYTHON = {
  ...{ executable: '/usr/bin/python3', version: '3', identity: 'p', libraries: 'p', environment: null },
  ...{ paths: [], folders: [], env: {} },
};

const hostedOf = (spec: Task): HostedTask => ({
  ...{ spec, digest: 'd', folder, manifest: 'm', python: PYTHON },
  parts: { train: '/data/train', search: '/data/search', claim: null, reveal: null },
});

const CACHE = { folder: '/warm', sealed: { bytes: 0, files: [], digest: 'c' } };

function noteTraining(context: HostContext, hosted: HostedTask, note: (request: RunRequest) => void): void {
  const { signal } = new AbortController();
  const [shown, unseen] = ['/shown', '/unseen'];
  const folders = trainingFolders({
    ...{ folder: '/run', recipe: '/run/recipe', tmp: '/run/tmp', out: '/run/out', cache: '/run/cache' },
    ...{ data: { shown, unseen }, reveal: { shown, unseen } },
  });
  const of = { hosted, seed: 1, process: 0, secret: 's', trainSeconds: null };
  const { tmp, ...training } = trainCall({ ...of, cache: cacheSeen(hosted, 'train', CACHE) }, folders);
  note(requestOf(context, hosted, { ...training, id: 'train', signal }, tmp));
  const command = {
    command: hosted.spec.phases.pack?.run ?? '',
    timeoutS: packClock(hosted.spec, null).limitS,
  };
  const { tmp: home, ...packing } = packCall(
    { ...of, cache: cacheSeen(hosted, 'pack', CACHE) },
    folders,
    command,
  );
  note(requestOf(context, hosted, { ...packing, id: 'pack', signal }, home));
}

const SCORING = {
  ...{ name: 'score', id: 'score', snapshot: '', processes: null, cache: null, known: {}, env: {} },
  artifact: { digest: '', put: () => Promise.resolve() },
  data: '/data/search',
};

async function scoringFolders() {
  const of = (name: string): string => join(folder, 'scoring', name);
  for (const name of ['recipe', 'sealed']) await mkdir(of(name), { recursive: true });
  return {
    ...{ folder: of(''), recipe: of('recipe'), tmp: of('tmp') },
    ...{ sealed: of('sealed'), harness: of('harness.json') },
  };
}

describe('every field of a phase', () => {
  it('is one that the walk has found', () => {
    expect(fields).toContain('phases.train.clock.budget_s');
    expect(fields.length).toBeGreaterThan(60);
    // the evaluator runs outside of the sandbox
    expect(fields.filter((path) => /^evaluate\.resources\.(cpus|shm_mb)$/.test(path))).toEqual([]);
  });

  it.each(fields.filter((path) => !(path in SHOWN_BY)))(
    '%s changes what runs, or is refused',
    async (path) => {
      const other = otherOf(path);
      expect(other, `OTHER says no other value of ${path}`).toBeDefined();
      const parsed = taskSchema.safeParse(changed(path, other));
      if (!parsed.success) {
        expect(JSON.stringify(parsed.error.issues.map((issue) => issue.path.join('.')))).toMatch(
          path === 'phases.train.clock.from' ? 'warmup_timeout_s' : path,
        );
        return;
      }
      expect(await observed(parsed.data)).not.toBe(await observed(taskSchema.parse(TASK)));
    },
  );

  it.each(Object.entries(SHOWN_BY))('%s is looked at in a test of its own', async (path, [file, by]) => {
    expect(fields).toContain(path);
    expect(await readFile(fileURLToPath(new URL(`../${file}`, import.meta.url)), 'utf8')).toMatch(by);
  });
});
