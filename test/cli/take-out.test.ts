import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { taskReference } from '../../src/cli/use-cases/start-campaign.js';
import { treeDigest } from '../../src/domain/digest.js';
import { loadTask } from '../../src/tasks/load.js';
import { runHere } from '../bad-input/assay.js';
import { phaseRun, seedCampaign, type Seeded } from '../builders/stored-campaign.js';
import { TINY } from '../fixtures/tiny.js';

let seeded: Seeded;
let folder: string;
beforeAll(async () => {
  seeded = await seedCampaign();
  const better = await seeded.submit('better');
  const key = await seeded.begin(better);
  const { fence } = await seeded.lineage.replicates.get(key);
  const files = await seeded.lineage.blobs.putFiles([
    { path: 'weights/a.json', bytes: Buffer.from('[1]') },
    { path: 'odd\nname', bytes: Buffer.from('') },
  ]);
  await seeded.lineage.replicates.publishTrained(key, {
    fence,
    failure: null,
    runs: [await phaseRun(seeded.lineage, 'train', 'trained')],
    artifact: { digest: treeDigest(files), bytes: 30, files, onHost: null },
    metrics: { 'mAP@0.5': 0.5 },
    margins: [],
    sharesTraining: null,
    saved: [],
    progress: [],
    at: new Date(),
  });
  await seeded.measure(better, 1.5, { 'mAP@0.5': 0.5 });
});
afterAll(() => seeded.lineage.close());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-out-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const assay = (...args: string[]) =>
  runHere(args, { ASSAY_MONGODB_URL: inject('storeUrl'), ASSAY_MONGODB_DATABASE: seeded.database });
const text = (...path: string[]): Promise<string> => readFile(join(folder, ...path), 'utf8');

describe('what is written out', () => {
  it('is the recipe of a trial', async () => {
    const place = join(folder, "it's mine");
    const { exitCode, stdout, stderr } = await assay('checkout', `${seeded.name}/t00001`, place, '--json');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ schema: 'assay.checkout/1', files: 1 });
    expect(await text("it's mine", 'train.py')).toBe('# better\n');
    const { digest } = (await seeded.lineage.campaigns.byName(seeded.name)).frozen.task;
    expect(stderr).toContain(`--task ${digest} --recipe '${folder}/it'\\''s mine' --hypothesis`);
  });

  it('is what its training left, whatever the names', async () => {
    const { exitCode } = await assay('artifact', '1', join(folder, 'out'), '--campaign', seeded.name);
    expect(exitCode).toBe(0);
    expect((await readdir(join(folder, 'out'))).sort()).toEqual(['odd\nname', 'weights']);
    expect(await text('out', 'weights', 'a.json')).toBe('[1]');
  });

  it('is the best of a campaign, with what is claimed and how to run it', async () => {
    const { exitCode, stderr } = await assay('best', seeded.name, join(folder, 'best'));
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining(`${seeded.name}/t00001`)]);
    expect((await readdir(join(folder, 'best'))).sort()).toEqual([
      'README.md',
      'artifact',
      'changes.diff',
      'recipe',
    ]);
    const readme = await text('best', 'README.md');
    for (const said of [
      '| hypothesis | better |',
      'loss 1.5000 nats',
      'Nothing is claimed',
      'assay submit --task',
    ])
      expect(readme).toContain(said);
    expect(await text('best', 'changes.diff')).toContain('+# better');
  });

  it('is stored under names of metrics that people use', async () => {
    const { stdout } = await assay('show', `${seeded.name}/t00001`);
    expect(stdout).toMatch(/mAP@0\.5 +0\.5\n/);
    const trial = await seeded.lineage.trials.require(seeded.owner, 1);
    const [replicate] = await seeded.lineage.replicates.many(trial.replicates);
    expect(replicate?.trained?.metrics).toEqual({ 'mAP@0.5': 0.5 });
  });
});

describe('what is not written', () => {
  it('is anything into a folder that is not empty', async () => {
    await mkdir(join(folder, 'full'));
    await writeFile(join(folder, 'full', 'mine'), 'precious');
    for (const args of [
      ['checkout', `${seeded.name}/t00001`],
      ['artifact', `${seeded.name}/t00001`],
      ['best', seeded.name],
    ]) {
      const { exitCode, stderr } = await assay(...args, join(folder, 'full'));
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining('is not empty')]);
    }
    expect(await readdir(join(folder, 'full'))).toEqual(['mine']);
  });

  it('is an artifact that is not stored', async () => {
    const { exitCode, stderr } = await assay('artifact', `${seeded.name}/t00000`, join(folder, 'out'));
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('has no stored artifact')]);
    const named = await assay('artifact', `${seeded.name}/t00001`, join(folder, 'out'), '--replicate', '7');
    expect(named.stderr).toContain('of replicate 7; there are those of 0');
    expect(await readdir(folder)).toEqual([]);
  });
});

it('a folder that is named as a task takes no name from another', async () => {
  const { lineage } = seeded;
  const [byName, { spec, files }] = [await lineage.tasks.find('byte-golf'), await loadTask(TINY)];
  const named = await lineage.tasks.push({ ...spec, name: 'mine' }, files, 'person');
  await cp(TINY, join(folder, 'mine'), { recursive: true });
  const yaml = await text('mine', 'task.yaml');
  for (const name of ['mine', 'byte-golf']) {
    await writeFile(join(folder, 'mine', 'task.yaml'), yaml.replace('name: tiny', `name: ${name}`));
    const digest = await taskReference(lineage, join(folder, 'mine'));
    expect(await lineage.tasks.get(digest)).toMatchObject({ _id: digest, spec: { name } });
  }
  expect((await lineage.tasks.find('mine'))?._id).toBe(named._id);
  expect([await lineage.tasks.find('byte-golf'), await lineage.tasks.isPushed('byte-golf')]).toEqual([
    byName,
    false,
  ]);
});
