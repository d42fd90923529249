import { cp, mkdtemp, readFile, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findBuild, WORKFLOWS } from '../../bin/built.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SOURCES = ['bin', 'src', 'activities', 'workflows', 'workers', 'package.json', 'tsconfig.json'];
const SOURCE = 'src/cli/program.ts';

let clone: string;
beforeEach(async () => {
  clone = await mkdtemp(join(tmpdir(), 'assay-build-'));
  for (const name of SOURCES) await cp(join(ROOT, name), join(clone, name), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(clone, 'node_modules'));
});
afterEach(() => rm(clone, { recursive: true, force: true }));

async function help(): Promise<{ stdout: string; stderr: string }> {
  return execa(process.execPath, [join(clone, 'bin/assay.js'), '--help']);
}

async function edit(from: string, to: string): Promise<void> {
  const text = await readFile(join(clone, SOURCE), 'utf8');
  expect(text).toContain(from);
  await writeFile(join(clone, SOURCE), text.replace(from, to));
}

const builds = async (): Promise<string[]> =>
  (await readdir(join(clone, 'dist/commands'), { withFileTypes: true })).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  );

describe('the build of the commands', () => {
  it('is made by the first command, used by the next, and never stale', async () => {
    expect((await help()).stdout).toContain('Auto research');
    const [first = ''] = await builds();
    const { mtimeMs } = await stat(join(clone, 'dist/commands', first, 'main.js'));
    await help();
    expect(await builds()).toEqual([first]);
    expect((await stat(join(clone, 'dist/commands', first, 'main.js'))).mtimeMs).toBe(mtimeMs);

    const { atime, mtime } = await stat(join(clone, SOURCE));
    await edit('Auto research', 'Otto research');
    await utimes(join(clone, SOURCE), atime, mtime);
    const changed = await help();
    expect(changed.stdout).toContain('Otto research');
    expect(changed.stderr).toBe('');

    await edit('Otto research', 'Auto research');
    expect((await help()).stdout).toContain('Auto research');
    expect(await builds()).toHaveLength(2);
  });

  it('is whole when two commands make it at the same moment, or one that made it was killed', async () => {
    const killed = execa(process.execPath, [join(clone, 'bin/build.js')], { reject: false });
    setTimeout(() => killed.kill('SIGKILL'), 150);
    await killed;
    const both = await Promise.all([help(), help()]);
    for (const { stdout, stderr } of [...both, await help()]) {
      expect(stdout).toContain('Auto research');
      expect(stderr).toBe('');
    }
  });

  it('is done without where none can be written, which is said', async () => {
    await writeFile(join(clone, 'dist'), 'not a folder');
    const { stdout, stderr } = await help();
    expect(stdout).toContain('Auto research');
    expect(stderr).toMatch(/^assay could not be built, so every start compiles it: \S.*$/);
  });
});

it('bundles the workflows once for each state of their sources', async () => {
  await execa(process.execPath, [join(clone, 'bin/build.js'), '--workflows']);
  const made = findBuild(clone, WORKFLOWS);
  expect(await readFile(made ?? '', 'utf8')).toContain('/workflows/claim.ts');

  const source = join(clone, 'workflows/claim.ts');
  const text = await readFile(source, 'utf8');
  await writeFile(source, `${text}\n`);
  expect(findBuild(clone, WORKFLOWS)).toBeNull();
  await writeFile(source, text);
  expect(findBuild(clone, WORKFLOWS)).toBe(made);
});
