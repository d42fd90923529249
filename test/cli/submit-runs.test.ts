import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { loadTask } from '../../src/tasks/load.js';
import { refusalHere } from '../bad-input/assay.js';
import { seeded, TINY } from '../fixtures/tiny.js';
import { assay } from '../workflows/command-lines.js';
import { openWorld, type World } from '../workflows/world.js';
import { LONG } from './person.js';

/** The tiny task with a noise that comes of the seed: the loss is (X + noise − 3)². */
const NOISY = `
import json, os, random
X = 1.0  # knob: -10..10
random.seed(int(os.environ["ASSAY_SEED"]))
noise = random.gauss(0, 0.01)
with open(os.path.join(os.environ["ASSAY_OUTPUT"], "x.json"), "w") as file:
    json.dump({"x": X + noise}, file)
`;
/** Fails under four of five seeds. */
const FRAIL = NOISY.replace('noise = ', 'assert random.random() < 0.2\nnoise = ');

let world: World;
let folder: string;
beforeAll(async () => {
  world = await openWorld();
  folder = await mkdtemp(join(tmpdir(), 'assay-runs-'));
  await cp(TINY, join(folder, 'task'), { recursive: true });
  await writeFile(join(folder, 'task/recipe/train.py'), NOISY);
  const yaml = await readFile(join(folder, 'task/task.yaml'), 'utf8');
  await writeFile(join(folder, 'task/task.yaml'), seeded(yaml).replace('name: tiny', 'name: noisy'));
  const { spec, files } = await loadTask(join(folder, 'task'));
  await world.lineage.tasks.push(spec, files, 'person');
});
afterAll(async () => {
  await world.stop();
  await rm(folder, { recursive: true, force: true });
});

const scored = z.object({ mean: z.number(), error: z.number().nullable(), from: z.string() });
const recordSchema = z.looseObject({
  schema: z.literal('assay.trial/1'),
  campaign: z.string(),
  status: z.string(),
  score: z.number().nullable(),
  lesson: z.string(),
  remark: z.string(),
  estimate: scored.nullable(),
  replicates: z.array(z.looseObject({ seed: z.number().nullable(), purpose: z.string() })),
  decision: z
    .looseObject({
      noise: z.number().nullable(),
      gain: z.number().nullable(),
      believed: z.unknown(),
      scores: z.array(z.number()),
    })
    .nullable(),
  comparison: z
    .looseObject({
      runs: z.number(),
      difference: z.number(),
      standardError: z.number().nullable(),
      interval: z.tuple([z.number(), z.number()]).nullable(),
      side: z.string().nullable(),
    })
    .nullable(),
});
type Record = z.infer<typeof recordSchema>;

async function recipe(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'train.py'), text);
  return path;
}

const args = (path: string, ...more: string[]): string[] => [
  ...['submit', '--task', 'noisy', '--recipe', path, '--hypothesis', 'another X', ...more],
];

async function submitted(path: string, ...more: string[]): Promise<Record> {
  const { code, stdout, stderr } = await assay(world, ...args(path, '--wait', '--json', ...more));
  expect(code, stderr).toBe(0);
  return recordSchema.parse(JSON.parse(stdout));
}

async function shown(campaign: string): Promise<string> {
  return (await assay(world, 'show', `${campaign}/1`)).stdout;
}

describe('a trial that is submitted alone', () => {
  it('is better or worse in a single run, and its noise is not known', LONG, async () => {
    const fleet = await world.fleet();
    const better = await submitted(await recipe('better', NOISY.replace('X = 1.0', 'X = 2.0')));
    const worse = await submitted(await recipe('worse', NOISY.replace('X = 1.0', 'X = 0.5')));
    await fleet.stop();
    expect(better.lesson).toMatch(/^better in a single run than trial 0 by \S+: \S+ against /);
    expect(worse).toMatchObject({ status: 'discard' });
    expect(worse.lesson).toMatch(/^worse in a single run than trial 0 by .*: not adopted$/);
    for (const record of [better, worse]) {
      expect(record.lesson).toContain('; noise not known: ');
      expect(record.decision).toMatchObject({ noise: null, gain: null, believed: null });
      expect(record.estimate).toMatchObject({ mean: record.score, error: null, from: 'runs' });
      expect(record.remark).toMatch(/^nothing is claimed: one run of each proves nothing; .* --runs N/);
      expect(record.comparison).toBeNull();
    }
    const text = await shown(better.campaign);
    expect(text).toMatch(/noise +not known/);
    expect(text).not.toMatch(/±|expected gain/);
  });

  it('is measured as often as its start with --runs, under seeds of its own', LONG, async () => {
    const path = await recipe('better', NOISY.replace('X = 1.0', 'X = 2.0'));
    const fleet = await world.fleet();
    const record = await submitted(path, '--runs', '3');
    await fleet.stop();
    const { owner } = await world.campaign(record.campaign);
    const start = await world.lineage.trials.require(owner, 0);
    const [trial] = await world.trials(record.campaign);
    expect([start.replicates.length, trial?.replicates.length]).toEqual([3, 3]);
    const runs = await world.lineage.replicates.many([...start.replicates, ...(trial?.replicates ?? [])]);
    expect(new Set(runs.map(({ seed }) => seed)).size).toBe(6);
    expect(record.decision?.scores).toHaveLength(3);
    expect(record.decision?.noise).toBeGreaterThan(0);
    expect(record).toMatchObject({ status: 'keep', comparison: { runs: 3, side: 'better' } });
    const { difference = NaN, standardError = NaN, interval } = record.comparison ?? {};
    expect(difference).toBeLessThan(-2.5);
    expect(standardError).toBeGreaterThan(0);
    expect(interval?.[1]).toBeLessThan(0);
    expect(record.lesson).toMatch(/^measured \S+ in 3 runs, better than trial 0 by \S+ \(\S+ in 3 runs\); /);
    expect(record.remark).toContain('measured 3 times each, fixed in advance');
    const text = await shown(record.campaign);
    expect(text).toMatch(/compared +3 runs each, fixed in advance: .* of the start/);
    expect(text).toMatch(/difference +-\S+ ± \S+ \(standard error\), 99 % interval .*: better/);
  });

  it('ends as what one of its runs failed of', LONG, async () => {
    const fleet = await world.fleet();
    const record = await submitted(await recipe('frail', FRAIL), '--runs', '8');
    await fleet.stop();
    expect(record).toMatchObject({ status: 'crash', decision: null, comparison: null, estimate: null });
    expect(record.lesson).toContain('train: ');
  });
});

describe('--runs', () => {
  const NOWHERE = { TEMPORAL_ADDRESS: '127.0.0.1:1', ASSAY_MONGODB_URL: 'mongodb://127.0.0.1:1/' };

  it('takes a whole number from 2 to 20', LONG, async () => {
    for (const bad of ['0', '1', '1.5', '-1', 'abc', '21', '', '1e9', 'NaN']) {
      const { code, message } = await refusalHere(args(folder, `--runs=${bad}`), NOWHERE);
      expect(code).toBe('USAGE');
      expect(message).toBe(`--runs takes a whole number from 2 to 20, not "${bad}"`);
    }
  });

  it('is refused with a campaign, and so is what else a campaign has settled', LONG, async () => {
    const within = ['submit', '--campaign', 'c', '--recipe', folder, '--hypothesis', 'x'];
    for (const [flag, why] of [
      ['--runs', 'in a campaign its rule says how often each is measured'],
      ['--train-seconds', 'a campaign trains all of its trials alike'],
    ] as const) {
      const { code, message } = await refusalHere([...within, flag, '4'], NOWHERE);
      expect(code).toBe('USAGE');
      expect(message).toBe(`${flag} is for a trial that is submitted alone: ${why}`);
    }
  });

  it('has an example in its help', LONG, async () => {
    const { stdout } = await assay(world, 'submit', '--help');
    expect(stdout).toMatch(/assay submit --task byte-golf .* --runs 4 --wait/);
    expect(stdout).toMatch(/--runs <n> +measure the start and the trial this many times\s+each, 2 to\s+20 /);
  });
});
