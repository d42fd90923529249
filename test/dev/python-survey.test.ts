import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { assay } from '../bad-input/assay.js';
import { freshFolder } from '../sandbox/programs.js';

const answerSchema = z.object({
  ok: z.boolean(),
  findings: z.array(
    z.object({ part: z.string(), ok: z.boolean(), found: z.string(), remedy: z.string().nullable() }),
  ),
});

/** Returns what `assay doctor --json` finds about Python. */
async function found(env: Record<string, string>) {
  const home = join(freshFolder(), 'home');
  await mkdir(home);
  const common = { ASSAY_HOME: home, ASSAY_CACHE: home, VIRTUAL_ENV: '', ASSAY_PYTHON: '' };
  const { stdout, exitCode } = await assay(['doctor', '--json'], { ...common, ...env });
  const { ok, findings } = answerSchema.parse(JSON.parse(stdout));
  expect(exitCode === 0).toBe(ok);
  const python = findings.find(({ part }) => part === 'Python');
  if (python === undefined) throw new Error('doctor does not look at Python');
  if (!python.ok) expect(ok).toBe(false);
  return python;
}

it('doctor says which Python is used and what named it, or why none can be, and what to do', async () => {
  const place = join(freshFolder(), 'venv');
  await execa('python3', ['-m', 'venv', '--without-pip', place]);
  const used: [Record<string, string>, RegExp][] = [
    [{ VIRTUAL_ENV: place }, new RegExp(`^${place}/bin/python \\(.*virtual env.* by VIRTUAL_ENV$`)],
    [{ VIRTUAL_ENV: place, ASSAY_PYTHON: 'python3' }, /\(Python 3\..*\), named by ASSAY_PYTHON$/],
    [{}, /\(Python 3\..*\), named by PATH$/],
  ];
  for (const [env, words] of used) {
    const { found: said, ...rest } = await found(env);
    expect(rest).toEqual({ part: 'Python', ok: true, remedy: null });
    expect(said).toMatch(words);
  }
  const refused: [Record<string, string>, RegExp, RegExp][] = [
    [{ ASSAY_PYTHON: '/nowhere/python' }, /^\/nowhere\/python cannot be used \(named by A/, /or unset it/],
    [{ VIRTUAL_ENV: '/nowhere' }, /^VIRTUAL_ENV names \/nowhere, and there is no /, /unset VIRTUAL_ENV/],
    [{ PYTHONPATH: place }, new RegExp(`imports from ${place} in your shell`), /unset PYTHONPATH/],
  ];
  for (const [env, words, remedy] of refused) {
    const python = await found(env);
    expect(python.ok).toBe(false);
    expect(python.found).toMatch(words);
    expect(python.remedy).toMatch(remedy);
  }
});
