import { mkdir, realpath, symlink } from 'node:fs/promises';
import { join } from 'node:path';
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
