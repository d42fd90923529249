import { existsSync } from 'node:fs';
import { mkdir, realpath, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterEach, expect, it, vi } from 'vitest';
import { findPython } from '../../src/tasks/python.js';
import { freshFolder } from '../sandbox/programs.js';

afterEach(() => vi.unstubAllEnvs());

it('is called python also where the system has only python3', async () => {
  const folder = freshFolder();
  const { stdout } = await execa('python3', ['-c', 'import sys; print(sys.executable)']);
  await mkdir(join(folder, 'bin'));
  await symlink(await realpath(stdout), join(folder, 'bin/python3'));
  vi.stubEnv('ASSAY_PYTHON', join(folder, 'bin/python3'));
  const signal = new AbortController().signal;
  const { env, environment, executable } = await findPython(join(folder, 'cache'), null, signal);
  expect(environment).not.toBeNull();
  const code = 'import sys; print(sys.executable)';
  const found = await execa('python', ['-c', code], { env, extendEnv: false });
  expect(found.stdout).toBe(executable);
  expect(await findPython(join(folder, 'cache'), null, signal)).toMatchObject({ executable });
});

it('tells its version and where it imports from', async () => {
  const code = 'import sys; print(sys.version.split()[0], sys.executable)';
  const { stdout } = await execa('python3', ['-c', code]);
  const { version, executable, paths } = await findPython(
    join(freshFolder(), 'cache'),
    null,
    new AbortController().signal,
  );
  expect(`${version} ${executable}`).toBe(stdout);
  const { stdout: library } = await execa(executable, ['-c', 'import json; print(json.__path__[0])']);
  expect(paths).toContain(dirname(library));
  for (const path of paths) expect(existsSync(path), path).toBe(true);
});
