import { execa } from 'execa';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fillFreshFolder } from '../../src/tasks/fresh-folder.js';
import { loadTask, recipeFiles } from '../../src/tasks/load.js';
import { LANGUAGES, pathsOf, writeSkeleton, type SkeletonRequest } from '../../src/tasks/skeleton.js';
import { folderWarnings } from '../../src/domain/task/task-warnings.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-skeleton-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const KINDS: Omit<SkeletonRequest, 'folder'>[] = [
  ...LANGUAGES.map((language) => ({ language, served: false })),
  { language: 'python', served: true },
  { language: 'python', served: false, timed: true },
  { language: 'c', served: false, profiles: true },
];

describe('a skeleton', () => {
  it.each(KINDS)('is a task that nothing is to be said against: %j', async (kind) => {
    const { name, files } = await writeSkeleton({ ...kind, folder: join(folder, 'my-task') });
    const { spec, files: loaded } = await loadTask(join(folder, 'my-task'));
    expect([name, spec.name]).toEqual(['my-task', 'my-task']);
    expect(loaded.map(({ path }) => path)).toEqual(expect.arrayContaining(files));
    const texts = recipeFiles(spec, loaded).map(({ path, bytes }) => ({ path, text: bytes.toString() }));
    expect(folderWarnings(spec, texts)).toEqual([]);
    expect(await readFile(join(folder, 'my-task', 'task.yaml'), 'utf8')).not.toMatch(/PROGRAM|NAME/);
    expect(await readdir(folder)).toEqual(['my-task']);
  });

  it('in two sizes has both as profiles', async () => {
    await writeSkeleton({ language: 'python', served: false, profiles: true, folder: join(folder, 'sized') });
    const [full, quick] = [
      await loadTask(join(folder, 'sized')),
      await loadTask(join(folder, 'sized'), { profile: 'quick' }),
    ];
    expect([full.profiles, full.spec.env, quick.spec.env]).toEqual([
      ['full', 'quick'],
      { DATA_SCALE: '1' },
      { DATA_SCALE: '0.25' },
    ]);
  });

  it('shows recipes a program, and never the home of a person', async () => {
    const node = join(folder, 'bin', 'node');
    await mkdir(join(folder, 'bin'));
    await copyFile(process.execPath, node);
    // its libraries are the system's here, and are named where they are not
    const paths = await pathsOf('javascript', node, folder);
    expect(paths?.filter((path) => !/\/lib[^/]*$/.test(path))).toEqual([node]);
    expect(await pathsOf('c', join(folder, 'bin', 'cc'), '/home/person')).toEqual([folder]);
    for (const [program, home] of [
      [join(folder, 'bin', 'cc'), folder],
      [join(folder, 'bin', 'cc'), join(folder, 'person')],
      ['/opt/cc', '/home/person'],
    ] as const)
      expect(await pathsOf('c', program, home)).toBeNull();
  });

  it('has a name that a task may have', async () => {
    const request = { language: 'python', served: false } as const;
    await expect(writeSkeleton({ ...request, folder: join(folder, 'My Task') })).rejects.toThrow(
      /"My Task" cannot be the name of a task: lower-case letters/,
    );
  });
});

describe('a folder of a person', () => {
  const fill = (beside: string): Promise<void> => writeFile(join(beside, 'new'), 'ours');

  it('is filled where it is empty or not there', async () => {
    await mkdir(join(folder, 'empty'));
    for (const name of ['empty', 'a/b']) await fillFreshFolder(join(folder, name), fill);
    expect(await readFile(join(folder, 'empty', 'new'), 'utf8')).toBe('ours');
    expect(await readFile(join(folder, 'a/b', 'new'), 'utf8')).toBe('ours');
  });

  it('is left alone where something is in its place', async () => {
    await mkdir(join(folder, 'full'));
    await writeFile(join(folder, 'full', 'new'), 'theirs');
    await writeFile(join(folder, 'file'), 'theirs');
    for (const name of ['full', 'file', 'file/below'])
      await expect(fillFreshFolder(join(folder, name), fill)).rejects.toMatchObject({ code: 'FOLDER_TAKEN' });
    expect(await readFile(join(folder, 'full', 'new'), 'utf8')).toBe('theirs');
    expect(await readFile(join(folder, 'file'), 'utf8')).toBe('theirs');
  });

  it('is filled whole or not at all', async () => {
    const broken = fillFreshFolder(join(folder, 'out'), async (beside) => {
      await fill(beside);
      throw new Error('the store went away');
    });
    await expect(broken).rejects.toThrow('went away');
    expect(await readdir(folder)).toEqual([]);
  });

  it('stays the same one, which may be a mount, and nothing is left beside it', async () => {
    const place = join(folder, 'mount');
    await mkdir(place);
    const { ino } = await stat(place);
    await fillFreshFolder(place, async (temporary) => {
      expect(dirname(temporary)).toBe(place);
      await fill(temporary);
    });
    expect((await stat(place)).ino).toBe(ino);
    expect([await readdir(folder), await readdir(place)]).toEqual([['mount'], ['new']]);
  });

  it('is not blamed for what failed elsewhere', async () => {
    const outage = Object.assign(new Error('not primary'), { code: 10107 });
    const broken = fillFreshFolder(join(folder, 'out'), () => Promise.reject(outage));
    await expect(broken).rejects.toBe(outage);
    const full = Object.assign(new Error('no space left'), { code: 'ENOSPC', syscall: 'write' });
    const filled = fillFreshFolder(join(folder, 'out'), () => Promise.reject(full));
    await expect(filled).rejects.toMatchObject({ code: 'FOLDER_TAKEN' });
  });

  it('has nothing left in it or beside it when the process exits meanwhile', async () => {
    await mkdir(join(folder, 'empty'));
    const source = new URL('../../src/tasks/fresh-folder.ts', import.meta.url).href;
    const program = `
      import { existsSync } from 'node:fs';
      import { fillFreshFolder } from ${JSON.stringify(source)};
      let filling = 0;
      for (const name of ['empty', 'new'])
        void fillFreshFolder(${JSON.stringify(folder)} + '/' + name, async (temporary) => {
          filling += existsSync(temporary) ? 1 : 0;
          if (filling === 2) process.exit(3);
          await new Promise(() => {});
        });`;
    const args = ['--import', 'tsx', '--input-type=module', '-e', program];
    expect((await execa(process.execPath, args, { reject: false })).exitCode).toBe(3);
    expect([await readdir(folder), await readdir(join(folder, 'empty'))]).toEqual([['empty'], []]);
  });
});
