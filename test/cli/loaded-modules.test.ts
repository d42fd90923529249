import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';

const ASSAY = fileURLToPath(new URL('../../bin/assay.js', import.meta.url));
const RECORD = new URL('./record-modules.js', import.meta.url).href;
const PACKAGE = /node_modules\/((?:@[\w.-]+\/)?[\w.-]+)\//;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-loaded-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Modules that a command loads: sources of assay by path, others by the name of their package. */
async function loadedBy(args: readonly string[], exitCode = 0): Promise<Set<string>> {
  const record = join(folder, 'modules');
  const env = {
    LOADED_MODULES: record,
    ASSAY_HOME: folder,
    ASSAY_MONGODB_URL: inject('storeUrl'),
    ASSAY_MONGODB_DATABASE: `loaded-${process.pid}`,
  };
  const ended = await execa(process.execPath, ['--import', RECORD, ASSAY, ...args], { reject: false, env });
  expect(ended.exitCode, ended.stderr).toBe(exitCode);
  const loaded = new Set<string>();
  for (const url of (await readFile(record, 'utf8')).split('\n').filter((line) => line.startsWith('file:')))
    for (const name of await partsOf(fileURLToPath(url))) loaded.add(name);
  return loaded;
}

/**
 * Lists the sources of a file of the build, which its comments name; for a file of a package, that package.
 */
async function partsOf(file: string): Promise<string[]> {
  const outside = PACKAGE.exec(file)?.[1];
  if (outside !== undefined) return [outside];
  const comments = (await readFile(file, 'utf8')).matchAll(/^\s*\/\/ (\S+\.(?:ts|[cm]?js))$/gm);
  return [...comments].map(([, path = '']) => PACKAGE.exec(path)?.[1] ?? path);
}

const packages = (loaded: Set<string>): string[] => [...loaded].filter((name) => !/\.(ts|js)$/.test(name));
const actions = (loaded: Set<string>): string[] =>
  [...loaded].filter((name) => name.startsWith('src/cli/actions/'));

describe('what a command loads', () => {
  it.each([
    [['--help'], 0],
    [['--version'], 0],
    [['status', '--help'], 0],
    [['status', '--no-such-option'], 2],
    [['no-such-command'], 2],
  ])('%j: definitions of commands, nothing of what they do', async (args, exitCode) => {
    const loaded = await loadedBy(args, exitCode);
    expect(loaded).toContain('src/cli/commands/status.ts');
    expect(packages(loaded)).toEqual(['commander']);
    expect(actions(loaded)).toEqual([]);
  });

  it('status: the store, its own action, and nothing of Temporal', async () => {
    const loaded = await loadedBy(['status']);
    expect(actions(loaded)).toEqual(['src/cli/actions/status.ts']);
    expect(packages(loaded)).toContain('mongodb');
    const heavy = packages(loaded).filter((name) => /^@temporalio|^@grpc|^@anthropic|webpack|swc/.test(name));
    expect(heavy).toEqual([]);
  });
});
