import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { basename, delimiter, dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openSandbox, type Sandbox } from '../../src/sandbox/sandbox.js';
import { activePython } from '../../src/tasks/active-python.js';
import { TaskHost } from '../../src/tasks/host.js';
import { loadTask } from '../../src/tasks/load.js';
import { findPython, type Python } from '../../src/tasks/python.js';
import { requireHidden } from '../../src/tasks/python-folders.js';
import { requireSamePython } from '../../src/tasks/same-python.js';
import { TINY } from '../fixtures/tiny.js';
import { freshFolder, python as forAllUsers, requestFor, TIERS } from '../sandbox/programs.js';

const signal = new AbortController().signal;
const [best = 'E'] = TIERS;
const PROGRAM = 'import sys; print(sys.executable)';
/** A Python that every user may run, where a tier depends on permissions. */
const system = best === 'D' ? forAllUsers : await realpath(await output('python3', PROGRAM));

async function output(python: string, code: string): Promise<string> {
  return (await execa(python, ['-c', code])).stdout;
}

let folder: string;
let cache: string;
beforeEach(() => {
  folder = freshFolder();
  cache = join(folder, 'cache');
  vi.stubEnv('VIRTUAL_ENV', '');
  vi.stubEnv('ASSAY_PYTHON', '');
});
afterEach(() => vi.unstubAllEnvs());

/** A real virtual environment with a module that nothing else has. */
async function environment(at: string, from = system): Promise<string> {
  await execa(from, ['-m', 'venv', '--without-pip', at]);
  await writeFile(join(await packagesOf(at), 'only_here.py'), `place = ${JSON.stringify(at)}\n`);
  return at;
}

const first = (bin: string): void => {
  vi.stubEnv('PATH', [bin, process.env['PATH'] ?? ''].join(delimiter));
};

async function script(path: string, text: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  await chmod(path, 0o755);
  return path;
}

/** Runs a phase under a Python and returns its output. */
async function phase(sandbox: Sandbox, python: Python, code: string): Promise<string> {
  const request = requestFor(`python -c '${code}'`, { readable: python.folders, env: python.env });
  const { log, ending } = await sandbox.run(request);
  expect(ending, log).toEqual({ kind: 'exited', code: 0 });
  return log.trim();
}

/** The active Python, once phases at the best tier, those at tier E and evaluators are known to share it. */
async function shared(code: string): Promise<{ python: Python; said: string }> {
  const python = await findPython(cache, null, signal);
  const said = [];
  for (const tier of new Set([best, 'E'] as const)) {
    const sandbox = await openSandbox({ tier });
    await requireSamePython(sandbox, python, signal);
    said.push(await phase(sandbox, python, code));
  }
  expect(new Set(said).size).toBe(1);
  return { python, said: said[0] ?? '' };
}

const ONLY_HERE = 'import only_here; print(only_here.place)';

const isMissing = lacks(
  !existsSync('/usr/bin/python3'),
  "the system's Python, which is not at /usr/bin/python3",
);
describe('the Python that is active', () => {
  it('tells its version and where it imports from', async () => {
    const { version, executable, paths } = await findPython(cache, null, signal);
    expect(await output(executable, 'import sys; print(sys.version.split()[0])')).toBe(version);
    const library = await output(executable, 'import json; print(json.__path__[0])');
    expect(paths).toContain(dirname(library));
    for (const path of paths) expect(existsSync(path), path).toBe(true);
  });

  it.each(['VIRTUAL_ENV', 'PATH'] as const)('may be a virtual environment that %s names', async (by) => {
    const place = await environment(join(folder, 'venv'));
    if (by === 'PATH') first(join(place, 'bin'));
    else vi.stubEnv(by, place);
    expect(await activePython(signal)).toMatchObject({ namedBy: by });
    const { python, said } = await shared(ONLY_HERE);
    expect(said).toBe(place);
    expect(python.folders).toContain(place);
    expect(python.environment).toBeNull();
  });

  it('may be a virtual environment that was made by that of another', async () => {
    const outer = await environment(join(folder, 'outer'));
    const inner = await environment(join(folder, 'inner'), join(outer, 'bin/python'));
    first(join(inner, 'bin'));
    expect((await shared(ONLY_HERE)).said).toBe(inner);
  });

  it('may be a virtual environment whose program is a link into another', async () => {
    const outer = await environment(join(folder, 'outer'));
    const inner = await environment(join(folder, 'inner'));
    await execa('ln', ['-sfn', join(outer, 'bin/python'), join(inner, 'bin/python')]);
    first(join(inner, 'bin'));
    expect((await shared(ONLY_HERE)).said).toBe(inner);
  });

  it('may lie behind links: its own folder, one above it, and that of its base', async () => {
    const version = await output(system, 'import sys; print(sys.base_prefix)');
    await mkdir(join(folder, 'real/deep'), { recursive: true });
    await symlink(join(folder, 'real'), join(folder, 'above'));
    await symlink(version, join(folder, 'base'));
    const place = await environment(
      join(folder, 'above/deep/venv'),
      join(folder, 'base/bin', basename(system)),
    );
    await symlink(place, join(folder, 'own'));
    first(join(folder, 'own/bin'));
    const { python, said } = await shared(ONLY_HERE);
    expect(said).toBe(place);
    expect(python.folders).toEqual(
      expect.arrayContaining([join(folder, 'own'), join(folder, 'real/deep/venv')]),
    );
  });

  it.each([
    ['a name', (): string => 'python-of-mine'],
    ['an absolute path', (place: string) => join(place, 'bin/python-of-mine')],
    [
      'a path from the current folder',
      (place: string) => join('.', 'venv/bin/python-of-mine', place.slice(place.length)),
    ],
  ])('may be what ASSAY_PYTHON names by %s', async (_, naming) => {
    const place = await environment(join(folder, 'venv'));
    await symlink('python', join(place, 'bin/python-of-mine'));
    first(join(place, 'bin'));
    vi.stubEnv('VIRTUAL_ENV', '/nowhere');
    vi.stubEnv('ASSAY_PYTHON', naming(place));
    vi.spyOn(process, 'cwd').mockReturnValue(folder);
    try {
      expect(await activePython(signal)).toMatchObject({ namedBy: 'ASSAY_PYTHON' });
      expect((await shared(ONLY_HERE)).said).toBe(place);
    } finally {
      vi.restoreAllMocks();
    }
  });

  it('may be what a shim or a wrapper starts', async () => {
    const place = await environment(join(folder, 'venv'));
    await script(join(folder, 'shims/python3'), `#!/bin/sh\nexec '${place}/bin/python3' "$@"\n`);
    first(join(folder, 'shims'));
    expect((await shared(ONLY_HERE)).said).toBe(place);
  });

  it('may be laid out as conda does it: a whole prefix of its own', async () => {
    const where = 'import os, sys; print(os.path.dirname(os.__file__), sys.version_info[1])';
    const [library = '', minor = ''] = (await output(system, where)).split(' ');
    const place = join(folder, 'conda');
    const heavy = /\/(test|tests|site-packages|dist-packages|__pycache__|idlelib|ensurepip|config-[^/]*)$/;
    await mkdir(join(place, 'bin'), { recursive: true });
    await cp(library, join(place, 'lib', `python3.${minor}`), {
      recursive: true,
      filter: (path) => !heavy.test(path),
    });
    await cp(await realpath(system), join(place, 'bin', `python3.${minor}`));
    for (const name of ['python', 'python3']) await symlink(`python3.${minor}`, join(place, 'bin', name));
    const packages = join(place, 'lib', `python3.${minor}`, 'site-packages');
    await mkdir(packages);
    await writeFile(join(packages, 'only_here.py'), `place = ${JSON.stringify(place)}\n`);
    await writeFile(join(packages, 'here.pth'), `${packages}\n`);
    first(join(place, 'bin'));
    const { python, said } = await shared(ONLY_HERE);
    expect(said).toBe(place);
    expect(python.folders).toContain(place);
  });

  it('is called python and python3 also where its folder has another of that name, or none', async () => {
    await mkdir(join(folder, 'bin'));
    await symlink(system, join(folder, 'bin/python3.mine'));
    await script(join(folder, 'bin/python'), '#!/bin/sh\necho another\n');
    vi.stubEnv('ASSAY_PYTHON', join(folder, 'bin/python3.mine'));
    const { python, said } = await shared(PROGRAM);
    expect(said).toBe(join(folder, 'bin/python3.mine'));
    expect(python.environment).not.toBeNull();
    expect(await findPython(cache, null, signal)).toEqual(python);
  });

  it('shows what its .pth files lead to', async () => {
    const place = await environment(join(folder, 'venv'));
    const project = join(folder, 'project/src');
    await mkdir(project, { recursive: true });
    await writeFile(join(project, 'edited.py'), 'place = "edited"\n');
    await writeFile(join(await packagesOf(place), 'edited.pth'), `${project}\n/nowhere\n`);
    first(join(place, 'bin'));
    const { python, said } = await shared('import edited; print(edited.place)');
    expect(said).toBe('edited');
    expect(python.paths).toContain(project);
    expect(python.paths).not.toContain('/nowhere');
    expect(python.folders).not.toContain(dirname(project));
  });

  it('shows what import hooks of editable installs lead to', async () => {
    const place = await environment(join(folder, 'venv'));
    const project = join(folder, 'project');
    await mkdir(join(project, 'src/edited'), { recursive: true });
    await writeFile(join(project, 'src/edited/__init__.py'), 'place = "edited"\n');
    await writeFile(join(project, 'src/alone.py'), 'place = "alone"\n');
    const packages = await packagesOf(place);
    await writeFile(join(packages, '__editable___project_finder.py'), finder(join(project, 'src')));
    await writeFile(join(packages, 'project.pth'), 'import __editable___project_finder\n');
    await installed(packages, project);
    first(join(place, 'bin'));
    const { python, said } = await shared('import edited, alone; print(edited.place, alone.place)');
    expect(said).toBe('edited alone');
    expect(python.folders).toEqual(
      expect.arrayContaining([join(project, 'src/edited'), join(project, 'src/alone.py')]),
    );
  });

  it('shows what links in it lead to, as that of Debian to its sitecustomize', async () => {
    const place = await environment(join(folder, 'venv'));
    await mkdir(join(folder, 'elsewhere/linked'), { recursive: true });
    await writeFile(join(folder, 'elsewhere/linked/__init__.py'), 'place = "a folder"\n');
    await writeFile(join(folder, 'elsewhere/alone.py'), 'place = "a file"\n');
    await symlink(join(folder, 'elsewhere/alone.py'), join(folder, 'hop.py'));
    await symlink(join(folder, 'elsewhere/linked'), join(await packagesOf(place), 'linked'));
    await symlink(join(folder, 'hop.py'), join(await packagesOf(place), 'alone.py'));
    vi.stubEnv('VIRTUAL_ENV', place);
    const { python, said } = await shared('import linked, alone; print(linked.place, alone.place)');
    expect(said).toBe('a folder a file');
    expect(python.folders).not.toContain(join(folder, 'elsewhere'));
  });

  it.skipIf(isMissing)('may be that of the system', async () => {
    vi.stubEnv('ASSAY_PYTHON', '/usr/bin/python3');
    expect((await shared('import sys; print(sys.prefix)')).said).toBe('/usr');
  });

  it('has the packages of its user', async () => {
    vi.stubEnv('HOME', join(folder, 'home'));
    const user = await output(system, 'import site; print(site.getusersitepackages())');
    await mkdir(user, { recursive: true });
    await writeFile(join(user, 'only_here.py'), 'place = "of the user"\n');
    vi.stubEnv('ASSAY_PYTHON', system);
    expect((await shared(ONLY_HERE)).said).toBe('of the user');
  });

  it('differs from another, and from itself with another package, in its identity', async () => {
    const [one, two] = [await environment(join(folder, 'one')), await environment(join(folder, 'two'))];
    const identity = async (place: string): Promise<string> => {
      vi.stubEnv('VIRTUAL_ENV', place);
      return (await findPython(cache, null, signal)).identity;
    };
    const before = await identity(one);
    expect(await identity(one)).toBe(before);
    expect(await identity(two)).not.toBe(before);
    await mkdir(join(await packagesOf(one), 'more-1.0.dist-info'));
    expect(await identity(one)).not.toBe(before);
  });

  it('makes the private environment of a task that has requirements', async () => {
    const place = await environment(join(folder, 'venv'));
    vi.stubEnv('VIRTUAL_ENV', place);
    vi.stubEnv('PYTHONPATH', folder);
    const active = await findPython(join(folder, 'other'), null, signal).catch((error: unknown) => error);
    expect(active).toMatchObject({ code: 'PYTHON_UNAVAILABLE' });
    const python = await findPython(cache, '# nothing\n', signal);
    const base = 'import sys; print(sys.base_prefix)';
    expect(await output(python.executable, base)).toBe(await output(join(place, 'bin/python'), base));
    expect(python.environment).not.toBeNull();
    expect(python.paths.some((path) => path.startsWith(place))).toBe(false);
    await requireSamePython(await openSandbox({ tier: best }), python, signal);
  });
});

describe('a Python is refused', () => {
  const refused = async (message: RegExp): Promise<void> => {
    const found = await findPython(cache, null, signal).catch((error: unknown) => error);
    expect(found).toMatchObject({ code: 'PYTHON_UNAVAILABLE' });
    expect(found).toHaveProperty('message', expect.stringMatching(message));
  };

  it('that does not run, is too old, or is gone', async () => {
    vi.stubEnv('ASSAY_PYTHON', join(folder, 'nowhere'));
    await refused(/nowhere cannot be used \(named by ASSAY_PYTHON\): .*not found/);
    vi.stubEnv('ASSAY_PYTHON', folder);
    await refused(/cannot be used/);
    const old = 'import sys; sys.version_info = (3, 9, 1); exec(sys.argv[1])';
    vi.stubEnv(
      'ASSAY_PYTHON',
      await script(join(folder, 'old'), `#!/bin/sh\nexec ${system} -c '${old}' "$2"\n`),
    );
    await refused(/it is Python 3\.9, and 3\.10 or later is needed/);
    vi.stubEnv('ASSAY_PYTHON', '');
    vi.stubEnv('VIRTUAL_ENV', join(folder, 'gone'));
    await refused(/VIRTUAL_ENV names .*gone, and there is no .*gone\/bin\/python/);
  });

  it('that imports in the shell what phases could not', async () => {
    const project = join(folder, 'project');
    await mkdir(project);
    vi.stubEnv('PYTHONPATH', project);
    await refused(new RegExp(`imports from ${project} in your shell, and phases could not`));
    vi.stubEnv('PYTHONPATH', undefined);
    vi.stubEnv(
      'ASSAY_PYTHON',
      await script(
        join(folder, 'wrapper'),
        `#!/bin/sh\nexport PYTHONPATH='${project}'\nexec ${system} "$@"\n`,
      ),
    );
    await refused(new RegExp(`imports from ${project} in your shell`));
  });

  it('with an editable install of which it is not known where it leads', async () => {
    const place = await environment(join(folder, 'project/.venv'));
    await installed(await packagesOf(place), join(folder, 'project'));
    first(join(place, 'bin'));
    await refused(new RegExp(`imports from ${join(folder, 'project')} in your shell`));
  });

  it('that shows what is hidden, itself or behind a link', async () => {
    const place = await environment(join(folder, 'venv'));
    await mkdir(join(folder, 'home/.assay'), { recursive: true });
    await symlink(join(folder, 'home'), join(folder, 'link'));
    const hidden = [join(folder, 'link/.assay')];
    first(join(place, 'bin'));
    const { folders } = await findPython(cache, null, signal);
    await expect(requireHidden(folders, hidden)).resolves.toBeUndefined();
    for (const shown of [
      join(folder, 'home'),
      join(folder, 'link'),
      join(folder, 'home/.assay'),
      folder,
      '/',
    ])
      await expect(requireHidden([shown], hidden), shown).rejects.toMatchObject({
        code: 'PYTHON_UNAVAILABLE',
      });
  });

  it('where phases and evaluator would run two', async () => {
    const [one, two] = [await environment(join(folder, 'one')), await environment(join(folder, 'two'))];
    vi.stubEnv('VIRTUAL_ENV', one);
    const python = await findPython(cache, null, signal);
    const sandbox = await openSandbox({ tier: best });
    const other = elsewhere(sandbox, two, python);
    const found = requireSamePython(other, python, signal);
    await expect(found).rejects.toMatchObject({ code: 'PYTHON_UNAVAILABLE' });
    await expect(found).rejects.toThrow(
      new RegExp(`phases would run ${two}/bin/python .*, and the evaluator ${one}/bin/python `),
    );
    const { spec, files } = await loadTask(TINY);
    const source = { spec, digest: 'd', dataSecret: 's', files: () => Promise.resolve(files) };
    await expect(new TaskHost(join(folder, 'home'), cache, other).host(source, signal)).rejects.toThrow(
      /phases would run/,
    );
    const hosted = await new TaskHost(join(folder, 'home'), cache, sandbox).host(source, signal);
    expect(hosted.python.executable).toBe(join(one, 'bin/python'));
  });

  it('most of which lies elsewhere, behind links', async () => {
    const place = await environment(join(folder, 'venv'));
    const packages = await packagesOf(place);
    for (let at = 0; at <= 200; at += 1) {
      await writeFile(join(folder, `linked${at}.py`), '');
      await symlink(join(folder, `linked${at}.py`), join(packages, `linked${at}.py`));
    }
    vi.stubEnv('VIRTUAL_ENV', place);
    const python = await findPython(cache, null, signal);
    const sandbox = await openSandbox({ tier: best });
    const found = requireSamePython(sandbox, python, signal);
    if (sandbox.isolation.fs === 'enforced')
      await expect(found).rejects.toThrow(/cannot see where the link .*site-packages\/linked\d+\.py/);
    else await expect(found).resolves.toBeUndefined();
  });
});

const packagesOf = (place: string): Promise<string> =>
  output(join(place, 'bin/python'), 'import site; print(site.getsitepackages()[0])');

/** Finder, as setuptools writes it for an editable install. */
const finder = (source: string): string => `
import importlib.util, os, sys
MAPPING = {"edited": "${source}/edited", "alone": "${source}/alone"}
class Finder:
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        place = MAPPING.get(name)
        if place is None: return None
        for file in (place + "/__init__.py", place + ".py"):
            if os.path.exists(file): return importlib.util.spec_from_file_location(name, file)
sys.meta_path.append(Finder)
`;
import { lacks } from '../lacks.js';

/** Writes what pip notes of an editable install. */
async function installed(packages: string, project: string): Promise<void> {
  const info = join(packages, 'project-1.0.dist-info');
  await mkdir(info);
  const origin = { url: `file://${project}`, dir_info: { editable: true } };
  await writeFile(join(info, 'direct_url.json'), JSON.stringify(origin));
}

/** A sandbox in which PATH leads to another environment. */
function elsewhere(sandbox: Sandbox, place: string, { folders }: Python): Sandbox {
  return {
    isolation: sandbox.isolation,
    serve: (request) => sandbox.serve(request),
    run: (request) =>
      sandbox.run({
        ...request,
        readable: [...folders, place],
        env: { ...request.env, PATH: `${place}/bin:/usr/bin:/bin` },
      }),
  };
}
