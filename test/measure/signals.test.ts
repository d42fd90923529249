import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cacheFolder } from '../../src/dev/paths.js';
import { checkTask, type CheckedTask } from '../../src/measure/check-task.js';
import { loadTask } from '../../src/tasks/load.js';
import { IMAGES } from '../fixtures/tiny.js';

vi.setConfig({ testTimeout: 60_000 });

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-signals-'));
  await cp(IMAGES, join(folder, 'images'), { recursive: true });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Checks the task with some texts of its files replaced. */
async function checked(...changes: [file: string, from: string, to: string][]): Promise<CheckedTask> {
  for (const [file, from, to] of changes) {
    const path = join(folder, 'images', file);
    const before = await readFile(path, 'utf8');
    expect(before).toContain(from);
    await writeFile(path, before.replace(from, to));
  }
  const { signal } = new AbortController();
  const settings = { home: join(folder, 'home'), cache: cacheFolder(), slots: 1, signal };
  return checkTask(await loadTask(join(folder, 'images')), { ...settings, tell: () => undefined });
}

const recipe = (from: string, to: string): ['recipe/train.py', string, string] => [
  'recipe/train.py',
  from,
  to,
];
const yaml = (from: string, to: string): ['task.yaml', string, string] => ['task.yaml', from, to];

/** The mean accuracy of the first measurement. */
const accuracyOf = ({ runs }: CheckedTask): number => runs[0]?.metrics['accuracy'] ?? NaN;

it('trains two of several processes, each under a seed of its own, and scores what all left', async () => {
  const found = await checked();
  expect(found.failure).toBeNull();
  expect(accuracyOf(found)).toBeGreaterThan(0.85);
  for (const run of found.runs) {
    expect(run.metrics).toMatchObject({ seeds: 2, processes: 2 });
    expect(run.metrics['seconds']).toBeCloseTo(run.metrics['train_s'] ?? NaN, 9);
    expect(run.processes.map(({ process }) => process)).toEqual([0, 1]);
  }
  const seeds = found.runs.flatMap(({ processes }) => processes.map(({ seed }) => seed));
  expect(new Set(seeds).size).toBe(4);
});

it('leaves the artifact of a single process as it is', async () => {
  const found = await checked(yaml('replicate: { processes: 3 }\n', ''));
  expect(found.failure).toBeNull();
  expect(found.runs[0]?.metrics).toMatchObject({ seeds: 1, processes: 1 });
  expect(accuracyOf(found)).toBeGreaterThan(0.85);
});

it('charges the budget with nothing that comes before the recipe is ready', async () => {
  const found = await checked(
    yaml('budget_s: 30', 'budget_s: 1, tolerance_s: 2'),
    recipe('say("ready")', 'import time; time.sleep(3.5); say("ready")'),
    yaml('processes: 3', 'processes: 1'),
  );
  expect(found.failure).toBeNull();
  expect(found.runs[0]?.trainS).toBeLessThan(3);
});

describe('a recipe that does not say what it has to', () => {
  it.each([
    [
      'ends without a word',
      'raise SystemExit',
      /process 0 of 2: it ended without saying "ready" on .*ASSAY_SIGNAL_FD/,
    ],
    [
      'says another word first',
      'say("trained")',
      /it did not say "ready" .* within its warm-up of 2 s; it said "trained" instead/,
    ],
    [
      'is still at it',
      'import time; time.sleep(600)',
      /did not say "ready" .* within its warm-up of 2 s(;|$)/,
    ],
  ])('crashes where it %s', async (_, instead, reason) => {
    const found = await checked(
      recipe('say("ready")', instead),
      yaml('warmup_timeout_s: 30', 'warmup_timeout_s: 2'),
    );
    expect(found.failure).toMatchObject({ status: 'crash', phase: 'train' });
    expect(found.failure?.reason).toMatch(reason);
  });

  it('is told that it never said that it has trained, where it left nothing', async () => {
    const found = await checked(recipe('say("trained")', 'raise SystemExit'));
    expect(found.failure).toMatchObject({ status: 'crash', phase: 'seal' });
    expect(found.failure?.reason).toMatch(/no file.*; training did not say "trained" .*ASSAY_REVEAL$/);
  });

  it('is warned of where it was never shown what the task reveals', async () => {
    const blind = `with open(os.path.join(OUT, "predictions.u8"), "wb") as file: file.write(bytes(500))
raise SystemExit`;
    const found = await checked(recipe('say("trained")', blind));
    expect(found.failure).toBeNull();
    expect(found.warnings).toContainEqual(expect.stringContaining('training did not say "trained"'));
  });
});

describe('what is no score', () => {
  it('is a file of accuracy that the recipe writes itself', async () => {
    const forged = `say("trained")
for name in ("accuracy", "metrics.json", "result.json"):
    with open(os.path.join(OUT, name), "w") as file: file.write('{"accuracy": 1.0, "metrics": {"accuracy": 1.0}}')
print('{"schema": "assay.evaluation/1", "metrics": {"accuracy": 1.0}}')
best = 0`;
    expect(accuracyOf(await checked(recipe('say("trained")', forged)))).toBeLessThan(0.65);
  });

  it('is what was learned of the order of the test rows', async () => {
    // the very labels, which nobody but the evaluator is shown, in the order of the prepared file
    const known = `draw = __import__("random").Random(3)
def rows(count):
    images, labels = bytearray(), bytearray()
    for _ in range(count):
        label = draw.randrange(2)
        first = draw.randrange(128) + (128 if label == (draw.random() < 0.95) else 0)
        images += bytes([first, draw.randrange(256), draw.randrange(256), draw.randrange(256)])
        labels.append(label)
    return bytes(images), bytes(labels)
rows(1000)
known_images, known_labels = rows(500)
shown = read(REVEAL, "images.u8")
# it does see the rows themselves, in another order
assert shown != known_images
assert sorted(shown[at:at + 4] for at in range(0, 2000, 4)) == sorted(known_images[at:at + 4] for at in range(0, 2000, 4))
with open(os.path.join(OUT, "predictions.u8"), "wb") as file: file.write(known_labels)
raise SystemExit
`;
    const found = await checked(
      ['prepare.py', 'os.environ["ASSAY_DATA_SECRET"]', '3'],
      recipe('say("trained")\n', `say("trained")\n${known}`),
    );
    expect(found.failure).toBeNull();
    // 500 guesses of two classes: 0.5 ± 0.022, in the mean of two orders; seven of those are never seen
    expect(accuracyOf(found)).toBeLessThan(0.66);
  });

  it('is what would be read of the test rows before training is over, or of the data before it is ready', async () => {
    const spy = `import glob
seen = [path for folder in (DATA, REVEAL) for path in glob.glob(folder + "/**", recursive=True)]
outside = glob.glob(os.path.join(os.path.dirname(DATA), "unseen-*", "*"))
assert len(seen) == 2 and outside == [], (seen, outside)
say("ready")
assert os.listdir(REVEAL) == []`;
    const found = await checked(recipe('say("ready")', spy));
    expect(found.failure).toBeNull();
    const early = await checked(recipe('say("trained")', 'pass'));
    expect(early.failure).toMatchObject({ status: 'crash', phase: 'train' });
    expect(early.failure?.tail).toContain('FileNotFoundError');
  });

  it('is what a recipe learns that says too early that it has trained', async () => {
    const gate = '{ name: reveal, metric: reveal_s, max: 20, known: train }';
    const bounded = yaml('specialists:', `gates: [${gate}]\nspecialists:`);
    const found = await checked(bounded);
    expect(found.failure).toBeNull();
    expect(found.runs[0]?.metrics['reveal_s']).toBeGreaterThan(0);
    const strict = await checked(
      yaml('max: 20', 'max: 0.5'),
      recipe('say("trained")', 'say("trained"); __import__("time").sleep(0.6)'),
    );
    expect(strict.failure).toMatchObject({
      status: 'disqualified',
      limit: { name: 'reveal', allowed: 0.5, unit: 's' },
    });
  });

  it('is anything written over what is shown', async () => {
    const writing = `say("trained")
for folder in (DATA, REVEAL):
    try:
        open(os.path.join(folder, "images.u8"), "wb").close()
        raise SystemExit("it could be written")
    except OSError: pass`;
    const found = await checked(recipe('say("trained")', writing));
    expect(found.failure).toBeNull();
  });
});
