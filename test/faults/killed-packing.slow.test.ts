import { chmod, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadTask } from '../../src/tasks/load.js';
import { systemClock } from '../../src/lineage/clock.js';
import { trialWorkflowId } from '../../src/domain/keys.js';
import { TINY } from '../fixtures/tiny.js';
import { openWorld, until, type World } from '../workflows/world.js';

let world: World;
let folder: string;
const homes: string[] = [];

/** The tiny task with a slow pack, which needs what training left; both say which attempt they belong to. */
beforeAll(async () => {
  world = await openWorld();
  folder = await mkdtemp(join(tmpdir(), 'assay-packing-'));
  await cp(TINY, folder, { recursive: true });
  const yaml = await readFile(join(folder, 'task.yaml'), 'utf8');
  await writeFile(
    join(folder, 'task.yaml'),
    yaml.replace(
      '\nscoring:',
      "\n  pack: { run: 'python train.py --pack', timeout_s: 60, output: artifact/, reads: ['train.py', out/] }\nscoring:",
    ),
  );
  await writeFile(
    join(folder, 'recipe/train.py'),
    `import os, pathlib, shutil, sys, time
X = 1.0  # knob: -10..10
run, out = os.environ["ASSAY_RUN"], pathlib.Path(os.environ["ASSAY_OUTPUT"])
if "--pack" in sys.argv:
    assert not pathlib.Path("beside").exists()
    left = pathlib.Path(os.environ["ASSAY_INPUT"])
    print("packed by", run, "what was trained by", (left / "deep/run.txt").read_text())
    time.sleep(6)
    shutil.copy(left / "x.json", out / "x.json")
else:
    pathlib.Path("beside").touch()
    (out / "deep").mkdir()
    (out / "deep/run.txt").write_text(run)
    (out / "x.json").write_text('{"x": %r}' % X)
`,
  );
  const { spec, files } = await loadTask(folder);
  await world.lineage.tasks.push(spec, files, 'person');
});
afterAll(async () => {
  await world.stop();
  for (const each of [folder, ...homes]) await rm(each, { recursive: true, force: true });
});

it('packs what training left, and does not train again, after kill -9 of the worker while it packed', async () => {
  const first = world.worker();
  await first.ready;
  const handle = await world.start('packing', {
    task: 'tiny',
    model: 'offline-proposer',
    specialists: ['solo'],
    trials: 1,
    trainHeartbeatSeconds: 10,
  });
  await until('packing to begin', async () => {
    const campaign = await world.campaign('packing').catch(() => null);
    return Object.values(campaign?.active ?? {}).some(({ stage }) => stage === 'packing') || null;
  });
  await first.kill('SIGKILL');
  const second = world.worker();
  await handle.result();
  const { owner } = await world.campaign('packing');
  const start = await world.lineage.trials.require(owner, 0);
  const [replicate] = await world.lineage.replicates.many(start.replicates);
  expect(start.status).toBe('keep');
  expect(replicate).toMatchObject({ checkpoint: null, trained: { fence: 2 } });
  expect(replicate?.trained?.runs.map(({ phase }) => phase)).toEqual(['train', 'pack']);
  const log = await world.lineage.blobs.text(replicate?.trained?.runs[1]?.log ?? '');
  expect(log).toMatch(/packed by \S+\/2\/pack what was trained by \S+\/1\/train/);
  await second.kill('SIGTERM');
});

const HOST_ROLES = ['trainer', 'evaluator'] as const;

/** Environment of a host of its own, which keeps all outputs, however small. */
async function hostEnv(name: string): Promise<Record<string, string>> {
  const home = await mkdtemp(join(tmpdir(), `assay-${name}-`));
  homes.push(home);
  await chmod(home, 0o755);
  return { ASSAY_HOST: name, ASSAY_HOME: home, ASSAY_STORED_MB: '0' };
}

/** Starts a campaign whose worker is killed while it packs the start; the other host serves the pool from then on. */
async function killedWhilePacking(name: string) {
  const [one, two] = [await hostEnv('one'), await hostEnv('two')];
  const office = await world.fleet({ ASSAY_HOST: 'office' }, systemClock, ['orchestrator', 'model']);
  const first = world.worker(one, HOST_ROLES);
  await first.ready;
  const input = { task: 'tiny', model: 'offline-proposer', specialists: ['solo'], trials: 1 };
  const handle = await world.start(name, { ...input, trainHeartbeatSeconds: 10 });
  await until('packing to begin', async () => {
    const campaign = await world.campaign(name).catch(() => null);
    return Object.values(campaign?.active ?? {}).some(({ stage }) => stage === 'packing') || null;
  });
  const other = await world.fleet(two, systemClock, HOST_ROLES);
  await first.kill('SIGKILL');
  await until('the packing to be sent to its host', async () => {
    const { events } = await world.client.workflow.getHandle(trialWorkflowId(name, 0)).fetchHistory();
    const queues = (events ?? []).map(({ activityTaskScheduledEventAttributes: of }) => of?.taskQueue?.name);
    return queues.some((queue) => queue?.startsWith('assay-host-one-')) || null;
  });
  const ended = async () => {
    await handle.result();
    const { owner } = await world.campaign(name);
    const { status, replicates } = await world.lineage.trials.require(owner, 0);
    const [replicate] = await world.lineage.replicates.many(replicates);
    const log = await world.lineage.blobs.text(replicate?.trained?.runs[1]?.log ?? '');
    await other.stop();
    await office.stop();
    return { status, replicate, log };
  };
  return { one, ended };
}

it('packs on the host that keeps what training left, though another took the packing up', async () => {
  const { one, ended } = await killedWhilePacking('kept');
  const again = world.worker(one, HOST_ROLES);
  const { status, log } = await ended();
  expect(status).toBe('keep');
  expect(log).toMatch(/packed by \S+\/2\/pack what was trained by \S+\/1\/train/);
  await again.kill('SIGTERM');
});

// the host is waited for, and then a sign of life of it
const LONG_MS = 360_000;

it(
  'trains again on another host when the one that kept what training left does not come back',
  async () => {
    const { ended } = await killedWhilePacking('lost');
    const { status, replicate, log } = await ended();
    expect(status).toBe('keep');
    expect(log).toMatch(/packed by \S+\/(\d+)\/pack what was trained by \S+\/\1\/train/);
    expect(replicate?.faults.map(({ code }) => code)).toEqual(['CHECKPOINT_LOST', 'LOST']);
  },
  LONG_MS,
);
