import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256 } from '../../src/domain/digest.js';
import { loadTask, recipeFiles } from '../../src/tasks/load.js';
import type { SourceSettings } from '../../src/tasks/source/cache.js';
import { TINY } from '../fixtures/tiny.js';

const UPSTREAM = 'X = 0.5\nprint(X)\n';
const PATCHED = 'X = 0.25\nprint(X)\n';
const PATCH = '--- a/recipe/up.py\n+++ b/recipe/up.py\n@@ -1,2 +1,2 @@\n-X = 0.5\n+X = 0.25\n print(X)\n';
/** UPSTREAM as raw LZMA2 in base 85. */
const PACKED = '0RRwKAUz;3E;R~pa%paKC|D^900';
const ABSENT = 'f'.repeat(40);

describe('a task with upstream sources', () => {
  let root: string;
  let commit: string;
  let settings: SourceSettings;
  const at = (...path: string[]): string => join(root, ...path);
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
      cwd: at('mirror/owner/name'),
    }).toString();

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'assay-source-test-'));
    await mkdir(at('mirror/owner/name/src'), { recursive: true });
    await writeFile(at('mirror/owner/name/src/up.py'), UPSTREAM);
    git('init', '--quiet');
    git('add', '-A');
    git('commit', '--quiet', '-m', 'one');
    commit = git('rev-parse', 'HEAD').trim();
    // the pin is not what lies in its folder now
    await writeFile(at('mirror/owner/name/src/up.py'), 'later\n');
    await cp(TINY, at('task'), { recursive: true });
    await writeFile(at('task/source.patch'), PATCH);
    settings = { cache: at('cache'), mirror: at('mirror'), signal: new AbortController().signal };
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  interface Declared {
    repository?: string;
    commit?: string;
    from?: string;
    to?: string;
    digest?: string;
    /** Digest of what is packed in the file. */
    unpacked?: string;
    patched?: string | null;
  }
  const load = async (declared: Declared = {}, also: Partial<SourceSettings> = {}) => {
    const { from = 'src/up.py', to = 'recipe/up.py', digest = sha256(UPSTREAM) } = declared;
    const { repository = 'https://example.invalid/owner/name', patched = sha256(PATCHED) } = declared;
    const text = await readFile(join(TINY, 'task.yaml'), 'utf8');
    const unpack =
      declared.unpacked === undefined ? '' : `, unpack: { as: lzma-b85, sha256: '${declared.unpacked}' }`;
    const patch =
      patched === null ? '' : `  patch: source.patch\n  patched: { recipe/up.py: '${patched}' }\n`;
    await writeFile(
      at('task/task.yaml'),
      `${text}source:\n  repository: ${repository}\n  commit: '${declared.commit ?? commit}'\n  files: [{ from: ${from}, to: ${to}, sha256: '${digest}'${unpack} }]\n${patch}`,
    );
    return loadTask(at('task'), { sources: { ...settings, ...also } });
  };
  const textIn = ({ files }: Awaited<ReturnType<typeof load>>, path: string): string | undefined =>
    files.find((file) => file.path === path)?.bytes.toString();

  it('has the files of the pin, changed as recorded, and its folder stays as it is', async () => {
    const before = await readdir(at('task'), { recursive: true });
    const loaded = await load();
    expect(textIn(loaded, 'recipe/up.py')).toBe(PATCHED);
    expect(recipeFiles(loaded.spec, loaded.files).map(({ path }) => path)).toContain('up.py');
    expect(await readdir(at('task'), { recursive: true })).toEqual(before);
  });

  it('takes files as they are where it records no change, and after the first time from the cache', async () => {
    expect(textIn(await load({ patched: null }), 'recipe/up.py')).toBe(UPSTREAM);
    await rm(at('mirror'), { recursive: true });
    expect(textIn(await load(), 'recipe/up.py')).toBe(PATCHED);
  });

  it('takes out what a program packs, and patches that', async () => {
    const packed = `import lzma as L,base64 as B\nexec(L.decompress(B.b85decode("${PACKED}"),format=L.FORMAT_RAW,filters=[{"id":L.FILTER_LZMA2}]))\n`;
    await writeFile(at('mirror/owner/name/src/packed.py'), packed);
    git('add', '-A');
    git('commit', '--quiet', '-m', 'packed');
    const pin = git('rev-parse', 'HEAD').trim();
    const declared = { commit: pin, from: 'src/packed.py', digest: sha256(packed) };
    const unpacked = sha256(UPSTREAM);
    expect(textIn(await load({ ...declared, unpacked }), 'recipe/up.py')).toBe(PATCHED);
    expect(textIn(await load({ ...declared, unpacked, patched: null }), 'recipe/up.py')).toBe(UPSTREAM);
    await expect(load({ ...declared, unpacked: '2'.repeat(64) })).rejects.toThrow(
      /up\.py has SHA-256 [0-9a-f]{64} when it is unpacked, .* 2222/,
    );
    await expect(load({ unpacked })).rejects.toThrow(/up\.py cannot be unpacked/);
  });

  it('fetches again what was damaged in the cache', async () => {
    await load();
    const [kept = ''] = (await readdir(at('cache'), { recursive: true })).filter((name) =>
      name.includes('/'),
    );
    await writeFile(at('cache', kept), 'damaged');
    expect(textIn(await load(), 'recipe/up.py')).toBe(PATCHED);
  });

  it('reads a bare repository by its last name, and a plain folder', async () => {
    git('clone', '--quiet', '--bare', '.', at('mirror/bare.git'));
    await mkdir(at('plain/name/src'), { recursive: true });
    await writeFile(at('plain/name/src/up.py'), UPSTREAM);
    const bare = await load({ repository: 'https://example.invalid/else/bare' }, { cache: at('cache-2') });
    expect(textIn(bare, 'recipe/up.py')).toBe(PATCHED);
    const plain = await load({}, { cache: at('cache-3'), mirror: at('plain') });
    expect(textIn(plain, 'recipe/up.py')).toBe(PATCHED);
  });

  it.each<[string, Declared, string, RegExp]>([
    [
      'of another digest',
      { digest: '0'.repeat(64) },
      'SOURCE_INVALID',
      /src\/up\.py .* has SHA-256 [0-9a-f]{64}, and task\.yaml says 0000/,
    ],
    [
      'that the commit does not have',
      { from: 'src/none.py' },
      'SOURCE_INVALID',
      /has no file src\/none\.py at commit/,
    ],
    ['of a commit that the copy lacks', { commit: ABSENT }, 'SOURCE_UNAVAILABLE', /does not have the commit/],
    [
      'that lies in the folder',
      { to: 'recipe/train.py', patched: null },
      'SOURCE_INVALID',
      /has recipe\/train\.py already/,
    ],
    [
      'whose patch gives another digest',
      { patched: '1'.repeat(64) },
      'SOURCE_INVALID',
      /after source\.patch, and source\.patched says 1111/,
    ],
    [
      'that differs in case alone',
      { to: 'recipe/TRAIN.py', patched: null },
      'SOURCE_INVALID',
      /upper and lower case/,
    ],
    [
      'of another address scheme',
      { repository: 'file:///tmp/owner/name' },
      'TASK_INVALID',
      /source\.repository/,
    ],
    ['by a path with a dot', { to: './recipe/x.py', patched: null }, 'SOURCE_INVALID', /"\.\/recipe\/x\.py"/],
    ['out of the folder', { to: '../up.py' }, 'TASK_INVALID', /source\.files\.0\.to|source/],
  ])('is refused with a file %s', async (_, declared, code, message) => {
    await expect(load(declared)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as unknown,
    });
  });

  it('is refused with a patch that makes a file out of the folder', async () => {
    const added = '--- /dev/null\n+++ b/../../evil.py\n@@ -0,0 +1 @@\n+X = 1\n';
    await writeFile(at('task/source.patch'), `${PATCH}${added}`);
    const digests = `'${sha256(PATCHED)}', ../../evil.py: '${sha256('X = 1\n')}`;
    await expect(load({ patched: digests.slice(1) })).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      message: expect.stringMatching(/"\.\.\/\.\.\/evil\.py"/) as unknown,
    });
  });

  it('is refused with a patch that does not apply, or is not there', async () => {
    await writeFile(at('task/source.patch'), PATCH.replace(' print(X)', ' print(Y)'));
    await expect(load()).rejects.toThrow(
      /source\.patch: the patch does not apply at line 2 of recipe\/up\.py/,
    );
    await rm(at('task/source.patch'));
    await expect(load()).rejects.toThrow(/names source\.patch as a patch, which is not in the folder/);
  });

  it('whose repository cannot be reached is told with its cause and what helps', async () => {
    await expect(
      load({ repository: 'https://127.0.0.1:9/owner/name' }, { mirror: null }),
    ).rejects.toMatchObject({
      code: 'SOURCE_UNAVAILABLE',
      message: expect.stringMatching(
        /^https:\/\/127\.0\.0\.1:9\/owner\/name at [0-9a-f]{12} is not available: .*(connect|refused|proxy|access)/is,
      ) as unknown,
    });
  });
});
