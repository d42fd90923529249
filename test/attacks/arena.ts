import { execFileSync } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect } from 'vitest';
import { trialRecord, type TrialRecord } from '../../src/analysis/read-models/trial-record.js';
import type { Isolation } from '../../src/domain/task/isolation.js';
import { diskUse } from '../../src/sandbox/host/disk-use.js';
import { processName } from '../../src/sandbox/host/worker-folders.js';
import { pushTask, submitCode } from '../bad-input/test-task.js';
import { isProbeFile, workOf } from '../faults/run-processes.js';
import { startScriptedServer } from '../model/scripted-server.js';
import { BYTE_GOLF } from '../tasks/numpy-python.js';
import { openWorld, until, type World } from '../workflows/world.js';
import { expectedUnder, isRun, NAP, PRELUDE, type Attack, type NotRun, type Outcome } from './attack.js';
import { LABELS, SECRET } from './reaching.js';
import { SERVED_EVALUATOR, SERVING, servedRecipe } from './serving.js';
import { ATTACKS } from './table.js';
import { languageRecipe, LANGUAGE_EVALUATOR, LISTENS, MEETING, TELLS, TEXT, TOLD, TWINS } from './twins.js';

const MB = 1024 * 1024;
/** Levels of `isolation` that may be broken. */
const OPEN_LABELS = ['advisory', 'none', 'bounded', 'open'];
export const TASKS = ['direct', 'gated', 'served', 'language'] as const;
/** Campaigns, each on the task of its name, and one whose trainings have little time. */
const GROUNDS = [...TASKS, 'brief'] as const;
type Ground = (typeof GROUNDS)[number];
/** With the tolerance of 1 s, 7 s. */
const BRIEF = { task: 'direct', trainSeconds: 6 };

const EVALUATOR = `
import json, math, os
out = os.fdopen(int(os.environ["ASSAY_RESULT_FD"]), "w")
def answer(result):
    with out: json.dump({"schema": "assay.evaluation/1", **result}, out)
def invalid(reason): answer({"failure": {"kind": "invalid", "reason": reason}})
try:
    labels = open(os.path.join(os.environ["ASSAY_DATA"], "${LABELS}")).read()
    assert labels.startswith("label-"), "the labels are not those that were prepared"
except OSError: raise SystemExit("no labels")
try:
    with open(os.path.join(os.environ["ASSAY_ARTIFACT"], "x.json")) as file: x = json.load(file)["x"]
    if type(x) not in (int, float) or not math.isfinite(x): invalid("x is no finite number")
    else: answer({"metrics": {"loss": (x - 3.0) ** 2}})
except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error: invalid(type(error).__name__)
`;

const PREPARE = `
import hashlib, json, os, secrets
root, files = os.environ["ASSAY_OUTPUT"], []
labels = "label-" + hashlib.sha256(("l" + os.environ["ASSAY_DATA_SECRET"]).encode()).hexdigest()
held = "".join(hashlib.sha256((str(i) + os.environ["ASSAY_DATA_SECRET"]).encode()).hexdigest() for i in range(20))
for path, text in (("train/text.txt", "seen"), ("search/${LABELS}", labels), ("search/${TEXT}", held)):
    os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
    with open(os.path.join(root, path), "w") as file: file.write(text)
    files.append({"path": path, "bytes": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest()})
with open(os.path.join(root, "manifest.json"), "w") as file: json.dump({"schema": "assay.data/1", "files": files}, file)
`;

/**
 * Limits so small that a hole in them shows and does no harm; time enough to end by itself on a busy machine.
 */
const arenaTask = (yaml: string): string =>
  yaml
    .replace(/^ +check:.*\n/m, '')
    .replace('timeout_s: 60', 'timeout_s: 20')
    .replace('processes: 8', 'processes: 16, log_kb: 8')
    .replace(/^gates:\n.*\n/m, '')
    .replace(
      'scoring: direct',
      'scoring: direct\ndata: { prepare: prepare.py, train: train/, search: search/ }\nrequirements: requirements.txt',
    );

const gatedTask = (yaml: string): string =>
  `${arenaTask(yaml)}gates: [{ name: size, metric: bytes, max: 24000, known: train }]\n`;

const servedTask = (yaml: string): string =>
  arenaTask(yaml)
    .replace('scoring: direct', 'scoring: served')
    .replace(/^( +)train:$/m, "$1serve: { run: 'python train.py --serve', startup_s: 20 }\n$1train:");

/** Twins take their time, and two starts. */
const languageTask = (yaml: string): string =>
  servedTask(yaml)
    .replace('startup_s: 20', 'startup_s: 30, twins: true')
    .replace("evaluate.py', timeout_s: 20", "evaluate.py', timeout_s: 100")
    .replace('memory_mb: 256', 'memory_mb: 512');

const groundOf = (attack: Attack): Ground =>
  SERVING.includes(attack)
    ? 'served'
    : TWINS.includes(attack)
      ? 'language'
      : attack.brief === true
        ? 'brief'
        : attack.gated === true
          ? 'gated'
          : 'direct';

async function pushTasks(world: World): Promise<void> {
  const shared = {
    'prepare.py': PREPARE,
    'requirements.txt': `# nothing, in an environment of its own: ${randomBytes(4).toString('hex')}\n`,
  };
  const direct = { ...shared, 'evaluator/evaluate.py': EVALUATOR };
  await pushTask(world, 'direct', arenaTask, direct);
  await pushTask(world, 'gated', gatedTask, direct);
  await pushTask(world, 'served', servedTask, {
    ...shared,
    'evaluator/evaluate.py': SERVED_EVALUATOR,
    'recipe/train.py': servedRecipe('pass', 4),
  });
  const list = await readFile(join(BYTE_GOLF, 'requirements.txt'), 'utf8');
  await pushTask(world, 'language', languageTask, {
    ...shared,
    'requirements.txt': list,
    'evaluator/evaluate.py': LANGUAGE_EVALUATOR,
    'recipe/train.py': languageRecipe('pass', 4),
  });
}

async function startCampaigns(world: World): Promise<void> {
  for (const ground of GROUNDS) {
    const on = ground === 'brief' ? BRIEF : { task: ground };
    await world.start(ground, { ...on, model: 'silent', specialists: ['solo'], trials: 1000 });
    await until('the campaign to run', async () => {
      const found = await world.lineage.campaigns.find(ground);
      return found?.state === 'running' || null;
    });
  }
}

/** A worker at one tier, and a campaign of the trials that the test submits. */
export class Arena {
  readonly #closers: (() => Promise<unknown>)[] = [];

  private constructor(
    readonly world: World,
    /** Isolation of the worker's runs, as the trial of the start was held. */
    readonly isolation: Isolation,
    readonly worker: { pid: number; name: string },
    /** In the worker's environment, and nowhere else. */
    readonly secret: string,
    readonly ports: readonly number[],
    /** An argument that only processes of this arena have. */
    readonly nap: string,
  ) {}

  /** `tier`: null for the best of this machine. */
  static async open(tier: 'E' | null): Promise<Arena> {
    const world = await openWorld();
    const model = await startScriptedServer(
      Array.from({ length: 100 }, () => () => new Promise<never>(() => undefined)),
    );
    const secret = `canary-${randomBytes(16).toString('hex')}`;
    const process = world.worker(
      { ASSAY_TIER: tier ?? '', [SECRET]: secret, ANTHROPIC_BASE_URL: model.url, ASSAY_HOST: 'arena' },
      [],
      ['--slots', '3'],
    );
    await process.ready;
    const ports = [world.env['TEMPORAL_ADDRESS'] ?? '', world.env['ASSAY_MONGODB_URL'] ?? ''].map((address) =>
      Number(/:(\d+)(?:\/|$|\?)/.exec(address)?.[1]),
    );
    await pushTasks(world);
    await startCampaigns(world);
    const isolation = await until(
      'the start to be measured',
      async () => (await trialRecord(world.lineage, 'direct', 0)).isolation,
    );
    const worker = { pid: process.pid, name: await processName(process.pid) };
    const arena = new Arena(world, isolation, worker, secret, ports, String(randomInt(90_000, 1e9)));
    const listener = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => listener.listen(`\0assay-attack-${arena.nap}`, resolve));
    arena.#closers.push(
      () => world.stop(),
      () => model.stop(),
      () => new Promise((resolve) => listener.close(resolve)),
    );
    return arena;
  }

  /**
   * True when runs share their user, their files and all else with the worker and each other, as at tier E.
   */
  get isOpen(): boolean {
    return this.isolation.fs === 'none';
  }

  submit(code: string, ground: Ground = 'direct'): Promise<number> {
    const ports = JSON.stringify(this.ports);
    const direct = () => `${PRELUDE}\nOPEN_PORTS = ${ports}\n${code}\n`;
    const whole = {
      direct,
      gated: direct,
      brief: direct,
      served: () => servedRecipe(code),
      language: () => languageRecipe(code),
    }[ground]();
    return submitCode(this.world, ground, whole.replaceAll(NAP, this.nap));
  }

  async ended(number: number, ground: Ground = 'direct'): Promise<TrialRecord> {
    const { owner } = await this.world.campaign(ground);
    await until(
      `trial ${number} to end`,
      async () => (await this.world.lineage.trials.get(owner, number))?.status ?? null,
      180,
    );
    return trialRecord(this.world.lineage, ground, number);
  }

  /** All that the processes of a trial printed. */
  async log(number: number, ground: Ground): Promise<string> {
    const { lineage } = this.world;
    const { owner } = await this.world.campaign(ground);
    const { replicates } = await lineage.trials.require(owner, number);
    const runs = (await lineage.replicates.many(replicates)).flatMap(({ trained, evaluated }) => [
      ...(trained?.runs ?? []),
      ...(evaluated?.runs ?? []),
    ]);
    return (await Promise.all(runs.map((run) => lineage.blobs.text(run.log)))).join('\n');
  }

  /** An honest trial with a loss that only it has: it ends as it would alone. */
  async honest(x: number): Promise<() => Promise<TrialRecord['status']>> {
    const number = await this.submit(`artifact(${x})`);
    return async () => {
      const { status, failure, score } = await this.ended(number);
      expect(failure, `honest trial ${number}`).toBeNull();
      expect(score).toBeCloseTo((x - 3) ** 2, 9);
      return status;
    };
  }

  expected(attack: Attack): Outcome | NotRun {
    return expectedUnder(attack, this.isolation);
  }

  /** Attacks that may run here; reports those that may not. */
  #attacks(): Attack[] {
    return ATTACKS.filter((attack) => {
      const expected = this.expected(attack);
      if (isRun(expected)) return true;
      const { tier, [expected.label]: held } = this.isolation;
      process.stderr.write(
        `${attack.name} is not run at tier ${tier}, where ${expected.label} is ${held}: ${expected.notRun}\n`,
      );
      return false;
    });
  }

  /** Runs every attack of this tier; returns, by name, the faults in its result. */
  async fight(): Promise<Map<string, string[]>> {
    const wrong = new Map<string, string[]>();
    const attacks = this.#attacks();
    const together = attacks.filter(({ alone }) => alone !== true);
    const numbers = [];
    const beside = [];
    for (const [at, attack] of together.entries()) {
      numbers.push([attack, await this.submit(attack.code, groundOf(attack))] as const);
      if (at % 12 === 6) beside.push(await this.honest(0.51 + at / 1000));
    }
    for (const [attack, number] of numbers) wrong.set(attack.name, await this.judge(attack, number));
    for (const end of beside) expect(await end()).toBe('discard');
    for (const attack of attacks.filter(({ alone }) => alone === true))
      wrong.set(attack.name, await this.judge(attack, await this.submit(attack.code, groundOf(attack))));
    return new Map([...wrong].filter(([, faults]) => faults.length > 0));
  }

  async judge(attack: Attack, number: number): Promise<string[]> {
    const expected = this.expected(attack);
    if (!isRun(expected)) return [];
    const { status, failure, isolation, replicates } = await this.ended(number, groundOf(attack));
    const log = await this.log(number, groundOf(attack));
    const faults: string[] = [];
    const claim = (holds: boolean, text: string): void => {
      if (!holds) faults.push(text);
    };
    const said = `${status} (${failure?.phase}: ${failure?.reason}) ${log.slice(-300)}`;
    claim(
      expected.ends.some((one) => one === status),
      `ended as ${said}`,
    );
    claim(expected.phase === undefined || failure?.phase === expected.phase, `phase of ${said}`);
    claim(expected.limit === undefined || failure?.limit?.name === expected.limit, `limit of ${said}`);
    claim(expected.reason?.test(failure?.reason ?? '') !== false, `reason of ${said}`);
    if (expected.label !== undefined)
      claim(isolation?.[expected.label] !== 'enforced', `${expected.label} is said to be enforced`);
    for (const [, field = ''] of log.matchAll(/^BREACH (\w+)/gm)) {
      const held = Object.entries(isolation ?? {}).find(([name]) => name === field)?.[1];
      claim(OPEN_LABELS.includes(held ?? ''), `got through ${field}, which is ${held}: ${log}`);
    }
    claim(!/[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/u.test(log), 'its log steers a terminal');
    claim(Buffer.byteLength(log) < 64 * 1024, 'its log is not bounded');
    const peak = Math.max(0, ...replicates.flatMap(({ phases }) => phases.map((run) => run.peakRssBytes)));
    claim(peak < 1200 * MB, `${Math.round(peak / MB)} MB were resident`);
    if (groundOf(attack) === 'language')
      claim(!(await this.tellsHeldOut(number)), 'agents can read held-out text');
    return faults;
  }

  /**
   * Runs a training that listens for locks while the server of another trial signals held-out text with them; returns
   * the parts of that text which it heard.
   */
  async overheard(): Promise<string[]> {
    const { owner } = await this.world.campaign('language');
    const telling = await this.submit(TELLS, 'language');
    await until(
      'a server to be scored',
      async () => (await this.world.lineage.trials.require(owner, telling)).stage === 'evaluating' || null,
      180,
    );
    const listening = await this.submit(LISTENS);
    await Promise.all([this.ended(listening), this.ended(telling, 'language')]);
    const heard = [...(await this.log(listening, 'direct')).matchAll(/^heard (\d+)$/gm)].map(
      ([, offset = '']) => {
        const bytes = Buffer.alloc(8);
        bytes.writeBigUInt64LE(BigInt(offset));
        return bytes.toString('latin1', 0, TOLD);
      },
    );
    const texts = await this.held(TEXT);
    return heard.filter((part) => texts.some((text) => text.includes(part)));
  }

  /**
   * Returns true when what agents can read of a trial on the language task holds any 16 characters of its text in a
   * row.
   */
  async tellsHeldOut(number: number): Promise<boolean> {
    const { owner } = await this.world.campaign('language');
    const read = JSON.stringify(await this.world.lineage.trials.require(owner, number));
    const texts = await this.held(TEXT);
    const parts = texts.flatMap((text) =>
      Array.from({ length: text.length - 15 }, (_, at) => text.slice(at, at + 16)),
    );
    expect(parts.length).toBeGreaterThan(1000);
    return parts.some((part) => read.includes(part));
  }

  /** Texts in held-out data. */
  labels(): Promise<string[]> {
    return this.held(LABELS);
  }

  async held(name: string): Promise<string[]> {
    const prepared = join(this.home, 'prepared');
    const files = (await readdir(prepared)).map((folder) => join(prepared, folder, 'search', name));
    return Promise.all(files.map((file) => readFile(file, 'utf8')));
  }

  get home(): string {
    return this.world.env['ASSAY_HOME'] ?? '';
  }

  /** Fails if anything of the attacks is left on the host. */
  async nothingLeft(): Promise<void> {
    expect(await workOf(this.worker.name), 'processes by mark').toEqual([]);
    expect(await named(this.nap), 'processes by name').toEqual([]);
    const all = await readdir(join(this.home, 'work', this.worker.name));
    const folders = all.filter((name) => !isProbeFile(name));
    // where files are not held back a recipe can leave a file there, which goes with the worker
    expect(folders.filter((name) => !this.isOpen || name !== 'assay-attack-state')).toEqual([]);
    const segments = await segmentsOf(this.nap);
    if (!this.isOpen) expect(segments, 'System V shared memory').toEqual([]);
    expect((await diskUse([this.home])).bytes, 'bytes of the home folder').toBeLessThan(64 * MB);
  }

  async close(): Promise<void> {
    for (const ground of GROUNDS) {
      const handle = this.world.client.workflow.getHandle(ground);
      await handle.signal('stop', 'now').catch(() => undefined);
      await handle.result().catch(() => undefined);
    }
    for (const close of this.#closers) await close();
    // only where nothing kept it from staying
    for (const id of await segmentsOf(this.nap)) execFileSync('ipcrm', ['-m', id]);
    for (const place of ['/tmp', '/dev/shm', '/var/tmp'])
      for (const name of ['assay-attack-state', MEETING]) await rm(join(place, name), { force: true });
  }
}

/** Ids of the System V shared memory segments of this host under a key. */
async function segmentsOf(key: string): Promise<string[]> {
  const [, ...rows] = (await readFile('/proc/sysvipc/shm', 'utf8')).trim().split('\n');
  return rows.flatMap((row) => {
    const [found, id] = row.trim().split(/\s+/);
    return found === key && id !== undefined ? [id] : [];
  });
}

/** Living processes whose command line holds the word as an argument. */
async function named(word: string): Promise<string[]> {
  const found = [];
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (line.split('\0').includes(word)) found.push(line.replaceAll('\0', ' '));
  }
  return found;
}
