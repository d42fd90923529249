import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { cacheFolder } from '../../src/dev/paths.js';
import { checkTask } from '../../src/measure/check-task.js';
import { loadTask } from '../../src/tasks/load.js';
import { writeSkeleton } from '../../src/tasks/skeleton.js';

vi.setConfig({ testTimeout: 600_000 });

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-served-cache-'));
  await writeSkeleton({ folder: join(folder, 'mine'), language: 'python', served: true });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Fails unless the cache is the prewarm's and no other process has written into it; then writes into it. */
const USES =
  'read x < "$ASSAY_CACHE/compiled" && [ "$x" = warm ] && [ ! -e "$ASSAY_CACHE/lock" ] && echo mine > "$ASSAY_CACHE/lock"';

it('gives both servers of an evaluation, and training, copies of the cache of a prewarm', async () => {
  const path = join(folder, 'mine', 'task.yaml');
  const yaml = await readFile(path, 'utf8');
  const changed = yaml
    .replace(
      '  train:',
      `  prewarm: { run: 'echo warm > "$ASSAY_CACHE/compiled"', timeout_s: 60, output: cache/ }\n  train:`,
    )
    .replace("run: 'python train.py --serve'", `run: '${USES} && exec python train.py --serve'`)
    .replace("reads: ['train.py', 'train/'] }", "reads: ['train.py', 'train/', 'cache/'] }")
    .replace("run: 'python train.py',", `run: '${USES} && python train.py',`);
  expect(changed.match(/ASSAY_CACHE/g)).toHaveLength(7);
  await writeFile(path, changed);
  const { signal } = new AbortController();
  const settings = { home: join(folder, 'home'), cache: cacheFolder(), slots: 1, signal };
  const { failure, runs } = await checkTask(await loadTask(join(folder, 'mine')), {
    ...settings,
    tell: () => undefined,
  });
  expect(failure).toBeNull();
  for (const { prewarmS, evaluateS } of runs)
    expect(Math.min(prewarmS ?? 0, evaluateS ?? 0)).toBeGreaterThan(0);
});
