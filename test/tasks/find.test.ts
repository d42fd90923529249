import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { openLineage, type Lineage } from '../../src/lineage/lineage.js';
import { findTask } from '../../src/tasks/find.js';
import { loadTask } from '../../src/tasks/load.js';
import { brokenLines } from '../../src/cli/render/tasks.js';
import { listTasks } from '../../src/cli/use-cases/task-list.js';
import { TINY } from '../fixtures/tiny.js';

let lineage: Lineage;
let bundledTasks: string;

beforeAll(async () => {
  lineage = await openLineage({ url: inject('storeUrl'), database: `find_${process.pid}` });
  bundledTasks = await mkdtemp(join(tmpdir(), 'assay-bundled-'));
  await cp(TINY, join(bundledTasks, 'tiny'), { recursive: true });
  const text = readFileSync(join(TINY, 'task.yaml'), 'utf8');
  await writeFile(
    join(bundledTasks, 'tiny', 'task.yaml'),
    `${text}default_profile: full\nprofiles: { ci: {} }\n`,
  );
});
afterAll(async () => {
  await lineage.close();
  await rm(bundledTasks, { recursive: true, force: true });
});

it('a bundled task is found by name, in each profile as a task of its own', async () => {
  const context = { lineage, bundledTasks };
  const [usual, full, ci] = [
    await findTask(context, 'tiny'),
    await findTask(context, 'tiny@full'),
    await findTask(context, 'tiny@ci'),
  ];
  expect([usual.spec.profile, full._id, ci.spec.profile]).toEqual(['full', usual._id, 'ci']);
  expect(ci._id).not.toBe(usual._id);
  await expect(findTask(context, 'tiny@huge')).rejects.toThrow(/it has full, ci$/);
  const { tasks } = await listTasks(lineage, bundledTasks);
  expect(tasks).toMatchObject([{ name: 'tiny', digest: usual._id, profiles: ['full', 'ci'] }]);
});

it('a bundled task that is wrong is told, and hides no other', async () => {
  const broken = join(bundledTasks, 'broken');
  await mkdir(broken);
  await writeFile(join(broken, 'task.yaml'), 'schema: assay.task/1\nnmae: broken\n');
  try {
    const model = await listTasks(lineage, bundledTasks);
    expect(model.tasks.map(({ name }) => name)).toEqual(['tiny']);
    expect(model.broken).toMatchObject([{ folder: broken, code: 'TASK_INVALID' }]);
    expect(model.broken[0]?.message).toMatch(/task\.yaml:2:1: unknown field "nmae"/);
    expect(brokenLines(model).join('\n')).toMatch(
      /broken is left out: .*unknown field "nmae" \(TASK_INVALID\)/,
    );
  } finally {
    await rm(broken, { recursive: true });
  }
});

it('a pushed task hides the bundled one of its name with all its profiles', async () => {
  const { spec, files } = await loadTask(join(bundledTasks, 'tiny'), { profile: 'ci' });
  const mine = { ...spec, profile: 'mine' };
  const stored = await lineage.tasks.push(mine, files, 'person');
  const small = await lineage.tasks.push(
    { ...spec, profile: 'small' },
    files.slice(0, -1),
    'person',
    'tiny@small',
  );
  const context = { lineage, bundledTasks };
  expect((await findTask(context, 'tiny@small'))._id).toBe(small._id);
  await expect(findTask(context, `${small._id}@ci`)).rejects.toMatchObject({ code: 'PROFILE_UNKNOWN' });
  expect((await findTask(context, `${small._id}@small`))._id).toBe(small._id);
  expect(await lineage.tasks.profiles('tiny')).toContain('small');
  expect((await findTask(context, 'tiny'))._id).toBe(stored._id);
});
