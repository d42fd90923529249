import { existsSync, readdirSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const TASKS = join(import.meta.dirname, '../../tasks');
const SCRIPTS = readdirSync(TASKS)
  .map((task) => [task, join(TASKS, task, 'golden.sh')] as const)
  .filter(([, script]) => existsSync(script));

let programs: string;
beforeAll(async () => {
  programs = await mkdtemp(join(tmpdir(), 'assay-golden-'));
});
afterAll(() => rm(programs, { recursive: true, force: true }));

/** Runs a script on a machine whose nvidia-smi names these accelerators. */
async function golden(script: string, accelerators: readonly string[], ...cases: string[]) {
  const path = join(programs, 'nvidia-smi');
  await writeFile(path, `#!/bin/sh\nprintf '%s\\n' ${accelerators.map((name) => `'${name}'`).join(' ')}\n`);
  await chmod(path, 0o755);
  const env = { PATH: [programs, process.env['PATH'] ?? ''].join(delimiter) };
  return execa('bash', [script, ...cases], { env, reject: false });
}

describe.each(SCRIPTS)('the published improvements of %s', (_, script) => {
  it('are skipped with the reason where accelerators are missing', async () => {
    const { stdout, exitCode } = await golden(script, ['NVIDIA GeForce RTX 3060']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^skipped: .*H100 or H200/);
  });

  it('are named where another one is asked for', async () => {
    const { stderr, exitCode } = await golden(script, Array<string>(8).fill('NVIDIA H100 80GB HBM3'), 'nope');
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^there is no case nope: \w+, \w+$/);
  });
});

it('there are some of each environment with published ones', () => {
  expect(SCRIPTS.map(([task]) => task)).toEqual(['cifar10-airbench96', 'nanochat-d12', 'parameter-golf']);
});
