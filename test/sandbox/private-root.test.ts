import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { findBubblewrap, type Bubblewrap } from '../../src/sandbox/tiers/bubblewrap.js';
import { detachLingering, sweepRoots } from '../../src/sandbox/private-root/own-folders.js';
import { LARGEST_COPY, PrivateRoots } from '../../src/sandbox/private-root/roots.js';
import { runtimeTree } from '../../src/sandbox/private-root/runtime-tree.js';
import type { RunRequest, Runtime } from '../../src/sandbox/run.js';
import { openSandbox } from '../../src/sandbox/sandbox.js';
import { supervise } from '../../src/sandbox/supervision/supervise.js';
import { tierE } from '../../src/sandbox/tiers/tier-e.js';
import { processName } from '../../src/sandbox/host/worker-name.js';
import { lacks } from '../lacks.js';

const found = await findBubblewrap();
const isRoot = process.getuid?.() === 0;
const RUNTIME: Runtime = { paths: ['/usr/bin/setpriv'], folders: [] };

/** Images of a process that loop devices hold. */
const mounted = (worker: string): string[] =>
  execFileSync('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(`.${worker}`));

describe('what a root holds', () => {
  it('is the named files with the libraries that they load, links followed', async () => {
    const { paths, anchors, links } = await runtimeTree(RUNTIME);
    expect(paths).toContain('/usr/bin/setpriv');
    expect(paths.some((path) => /\/libc\.so\.6$/.test(path))).toBe(true);
    expect(paths.some((path) => /\/ld-linux[^/]*$|\/ld-musl/.test(path))).toBe(true);
    for (const { path } of links) expect(anchors).not.toContain(path);
    for (const anchor of anchors)
      expect(anchors.filter((other) => anchor.startsWith(`${other}/`))).toEqual([]);
  });

  it('is whole below a folder that is named, whatever was on the way to something else before', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'assay-runtime-'));
    for (const path of ['bin/one', 'bin/two', 'lib/server/large', 'lib/server/small', 'zz/x', 'libx.a'])
      await mkdir(join(folder, path, '..'), { recursive: true }).then(() =>
        writeFile(join(folder, path), path),
      );
    await symlink('../lib/server/small', join(folder, 'zz/link'));
    await mkdir(join(folder, 'lib/python3.11/site-packages'), { recursive: true });
    await writeFile(join(folder, 'lib/python3.11/site-packages/package.py'), '');
    const named = await runtimeTree({ paths: [join(folder, 'bin/one'), folder], folders: [] });
    const held = named.paths
      .filter((path) => path.startsWith(`${folder}/`))
      .map((path) => path.slice(folder.length + 1));
    for (const path of ['bin/two', 'lib/server/large', 'libx.a', 'lib/python3.11/site-packages/package.py'])
      expect(held).toContain(path);
    const library = await runtimeTree({ paths: [], library: [join(folder, 'lib/python3.11')], folders: [] });
    expect(library.paths).not.toContain(join(folder, 'lib/python3.11/site-packages'));
    await rm(folder, { recursive: true });
  });

  it('has a file alone where its folder holds other things, as the folders of runs', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'assay-runtime-'));
    await writeFile(join(folder, 'tool'), '');
    await mkdir(join(folder, 'home'));
    const { anchors } = await runtimeTree({ paths: [join(folder, 'tool')], folders: [] });
    expect(anchors).toContain(join(folder, 'tool'));
    expect(anchors).not.toContain(folder);
    await rm(folder, { recursive: true });
  });

  it('has another digest when a file of it changes', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'assay-runtime-'));
    const digest = async (): Promise<string> => (await runtimeTree({ paths: [folder], folders: [] })).digest;
    await writeFile(join(folder, 'one.py'), '1');
    const first = await digest();
    expect(await digest()).toBe(first);
    await writeFile(join(folder, 'one.py'), '22');
    expect(await digest()).not.toBe(first);
    await rm(folder, { recursive: true });
  });
});

const isMissing = lacks(!('bubblewrap' in found), 'roots of servers, which need bubblewrap');
const cannotMount = lacks(!isRoot, 'images, which only root may mount');
describe.skipIf(isMissing)('a root of its own', () => {
  let work: string;
  let bubblewrap: Bubblewrap;

  beforeAll(async () => {
    if ('bubblewrap' in found) ({ bubblewrap } = found);
    work = await mkdtemp(join(tmpdir(), 'assay-private-root-'));
  });

  afterAll(() => rm(work, { recursive: true, force: true }));

  async function shown(
    roots: PrivateRoots,
    command: string,
    runtime = RUNTIME,
  ): Promise<{ log: string; channels: string }> {
    const given = join(work, 'given');
    await mkdir(given, { recursive: true });
    await writeFile(join(given, 'file'), 'given\n');
    const home = join(work, 'home');
    const request: RunRequest & { runtime: Runtime } = {
      id: `private-root-${process.pid}-${Math.random()}`,
      command,
      cwd: given,
      writable: [home],
      readable: [given],
      env: { PATH: '/usr/bin:/bin', HOME: home, GIVEN: given },
      limits: { wallS: 60, memoryBytes: 2 ** 29, diskBytes: 0, logBytes: 65_536, processes: 8, cpus: 1 },
      signal: new AbortController().signal,
      runtime,
    };
    const launched = await roots.launch(request, `exec 2>&1\n${command}`);
    if ('why' in launched) throw new Error(launched.why);
    const { launch, channels } = launched;
    const isolation = tierE.isolation;
    const { log, ending } = await supervise({ launch, request, isolation, log: 'stdout', extra: 0 }).done;
    expect(ending, log).toEqual({ kind: 'exited', code: 0 });
    return { log, channels };
  }

  const LOOK = [
    'cat "$GIVEN/file"',
    'echo here > "$HOME/file" && cat "$HOME/file"',
    '! (echo x > "$GIVEN/file") 2>/dev/null && ! (echo x > /usr/bin/x) 2>/dev/null && echo kept',
    '[ ! -e /usr/share ] && [ ! -e /usr/bin/perl ] && echo bare',
    'id -u',
    'grep -c . /proc/self/mountinfo > /dev/null && echo device',
  ].join('\n');
  const SEEN = 'given\nhere\nkept\nbare\n65534\ndevice\n';

  it.skipIf(cannotMount)('is an image with a loop device of its own, gone with the run', async () => {
    const roots = new PrivateRoots(bubblewrap, join(work, 'cache'));
    expect(await shown(roots, LOOK)).toEqual({ log: SEEN, channels: 'closed' });
    expect(mounted(await processName(process.pid))).toEqual([]);
    expect(await readdir(join(work, 'home')).catch(() => [])).toEqual([]);
  });

  it('is a copy in memory where nothing can be mounted, and says that it shares its user', async () => {
    const roots = new PrivateRoots(bubblewrap, join(work, 'cache'), false);
    expect(await shown(roots, LOOK)).toEqual({ log: SEEN, channels: 'bounded' });
  });

  it.skipIf(cannotMount)('serves two runtimes that are equal, the second while the first runs', async () => {
    const roots = new PrivateRoots(bubblewrap, join(work, 'cache'));
    const one = shown(roots, 'sleep 2; cat /usr/bin/setpriv | wc -c');
    const same = { paths: [...RUNTIME.paths, ...RUNTIME.paths], folders: [] };
    const [first, second] = await Promise.all([one, shown(roots, 'wc -c < /usr/bin/setpriv', same)]);
    expect(second.log).toBe(first.log);
  });

  it.skipIf(cannotMount)('leaves no loop device of servers that were killed while they started', async () => {
    const sandbox = await openSandbox({ cache: join(work, 'cache') });
    const worker = await processName(process.pid);
    const request = (): RunRequest => ({
      ...{
        id: `killed-${process.pid}-${Math.random()}`,
        command: 'sleep 60',
        cwd: '/',
        writable: [],
        readable: [],
      },
      ...{ env: { PATH: '/usr/bin:/bin' }, runtime: RUNTIME, signal: new AbortController().signal },
      limits: { wallS: 60, memoryBytes: 2 ** 29, diskBytes: 0, logBytes: 1024, processes: 8 },
    });
    await (await sandbox.serve(request())).kill();
    for (let at = 0; at < 30; at += 1) {
      const served = await sandbox.serve(request());
      await sleep(at);
      await served.kill().catch(() => undefined);
      await served.done.catch(() => undefined);
    }
    await vi.waitFor(
      async () => {
        await detachLingering();
        expect(mounted(worker)).toEqual([]);
      },
      { timeout: 60_000, interval: 1000 },
    );
  });

  it('copies nothing that is too large for the memory of each server', async () => {
    const large = join(work, 'large');
    await writeFile(large, '');
    await truncate(large, LARGEST_COPY + 1);
    const roots = new PrivateRoots(bubblewrap, join(work, 'cache'), false);
    const { channels, why } = await roots.survey({ paths: [large], folders: [] });
    expect(channels).toBe('open');
    expect(why).toMatch(/are more than the \d+ that are copied for each server/);
  });

  it('says why none can be made', async () => {
    const roots = new PrivateRoots(bubblewrap, '/etc/passwd/cache');
    const launched = await roots.launch(
      {
        ...{ id: 'x', command: '', cwd: '/', writable: [], readable: [], env: {}, runtime: RUNTIME },
        limits: { wallS: 1, memoryBytes: 2 ** 29, diskBytes: 0, logBytes: 1024, processes: 8 },
        signal: new AbortController().signal,
      },
      'true',
    );
    expect('why' in launched ? launched.why : '').toContain('/etc/passwd/cache');
  });

  it.skipIf(cannotMount)('leaves nothing of a worker that was killed, once another has swept', async () => {
    const script = fileURLToPath(new URL('../fixtures/private-root-worker.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', script, join(work, 'cache')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    const worker = await processName(child.pid ?? 0);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const swept = await sweepRoots((name) => Promise.resolve(name === worker), false);
    expect(swept.length).toBeGreaterThan(0);
    for (const folder of ['/run', '/dev/shm', '/tmp'])
      expect((await readdir(folder).catch(() => [])).filter((name) => name.includes(worker))).toEqual([]);
    expect(mounted(worker)).toEqual([]);
  });
});

if (!('bubblewrap' in found)) process.stderr.write(`roots of their own are not tested here: ${found.why}\n`);
if (!isRoot) process.stderr.write('roots from images are not tested here: this is not root\n');
