import { afterAll, beforeAll, expect, it } from 'vitest';
import { storedBytes } from '../attacks/stored.js';
import { openLab, type Lab } from '../bad-input/test-task.js';

/** Trains and packs in one file; each part of a test is a line of its own. */
const recipe = (training: string, packing = ''): string => `
import json, os, shutil, sys
out = os.environ["ASSAY_OUTPUT"]
def put(name, content):
    with open(os.path.join(out, name), "wb") as file: file.write(content)
if "--pack" in sys.argv:
    left = os.environ["ASSAY_INPUT"]
    shutil.copy(os.path.join(left, "x.json"), out)
    print(sorted((name, oct(os.stat(os.path.join(left, name)).st_mode), os.stat(os.path.join(left, name)).st_mtime) for name in os.listdir(left)))
    ${packing}
else:
    put("x.json", b'{"x": 2.0}')
    ${training}
`;
const MB = 1024 * 1024;

let lab: Lab;
beforeAll(async () => {
  lab = await openLab();
  await lab.task(
    'packed',
    (yaml) =>
      yaml
        .replace(/^ +check:.*\n/m, '')
        .replace('max: 2000', 'max: 4000')
        .replace(
          '\nscoring:',
          "\n  pack: { run: 'python train.py --pack', timeout_s: 60, output: artifact/, reads: ['train.py', out/] }\nscoring:",
        ),
    { 'recipe/train.py': recipe('pass') },
  );
  await lab.open('outputs', 'packed');
});
afterAll(() => lab.stop());

const ended = async (training: string, packing?: string) => {
  const number = await lab.submit('outputs', recipe(training, packing));
  return { number, record: await lab.ended('outputs', number) };
};

it('what misses its gate is known by digest and sizes, and is not stored', async () => {
  const before = await storedBytes(lab.world);
  const { record } = await ended('pass', `put("weights.bin", os.urandom(${5 * MB}))`);
  expect(record).toMatchObject({ status: 'size_blocked', failure: { limit: { name: 'size' } } });
  const [replicate] = record.replicates;
  expect(replicate?.artifact).toMatchObject({ files: 2, stored: false });
  expect(replicate?.artifact?.bytes).toBe(5 * MB + 'weights.bin'.length + 1 + 10 + 'x.json'.length + 1);
  expect(replicate?.metrics['bytes']).toBeGreaterThan(5 * MB);
  expect((await storedBytes(lab.world)) - before).toBeLessThan(64 * 1024);
});

it('a training is kept for a size miss only in proportion to the gate', async () => {
  const before = await storedBytes(lab.world);
  const { record } = await ended(`put("y", os.urandom(${3 * MB}))`, `put("z", bytes(5000))`);
  expect(record).toMatchObject({ status: 'size_blocked' });
  expect((await storedBytes(lab.world)) - before).toBeLessThan(64 * 1024);
});

it('packing finds what training left with the same modes and times always', async () => {
  const { number } = await ended('os.chmod(os.path.join(out, "x.json"), 0o4751)');
  const { owner } = await lab.world.campaign('outputs');
  const { replicates } = await lab.world.lineage.trials.require(owner, number);
  const [replicate] = await lab.world.lineage.replicates.many(replicates);
  const log = await lab.world.lineage.blobs.text(replicate?.trained?.runs[1]?.log ?? '');
  expect(log).toContain("('x.json', '0o100444', 946684800.0)");
});

it.each([
  [
    'paths beyond the longest',
    'n = "n" * 250\n    for i in range(30): os.chdir(out if i == 0 else "."); os.mkdir(n); os.chdir(n)',
    'crash',
    'names',
  ],
  ['too many names', 'for i in range(2000): open(os.path.join(out, str(i)), "w").close()', 'crash', 'names'],
  ['folders too deep', 'os.makedirs(os.path.join(out, *["d"] * 40))', 'crash', 'depth'],
  ['a link', 'os.symlink("x.json", os.path.join(out, "y"))', 'violation', null],
])(
  'training that leaves %s for packing ends the trial, after one attempt',
  async (_what, code, status, limit) => {
    const { record } = await ended(code);
    expect(record).toMatchObject({ status, failure: { phase: 'seal' } });
    expect(record.failure?.limit?.name ?? null).toBe(limit);
    expect(record.replicates).toMatchObject([{ attempts: 1, infra: [] }]);
  },
);
