import { mkdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { openSandbox } from '../../src/sandbox/sandbox.js';
import { checkManifest } from '../../src/tasks/data-manifest.js';
import { TaskHost, type HostedTask } from '../../src/tasks/host.js';
import { loadTask } from '../../src/tasks/load.js';
import { requireRuntime } from '../../src/tasks/runtime.js';
import { TINY } from '../fixtures/tiny.js';
import { freshFolder } from '../sandbox/programs.js';

it('a task shows recipes nothing of what is hidden by its runtime', async () => {
  const folder = freshFolder();
  const home = join(folder, 'home');
  await mkdir(home);
  await symlink(folder, join(home, 'out'));
  const named = (path: string) => requireRuntime({ name: 'mine', runtime: { paths: [path] } }, [home]);
  await expect(named(join(home, 'out', 'home', 'out'))).rejects.toMatchObject({ code: 'TASK_INVALID' });
  for (const path of ['/', folder, home])
    await expect(named(path)).rejects.toThrow(/recipes that can read it/);
  await expect(named('/usr')).resolves.toBeUndefined();
  await expect(named(join(folder, 'gone'))).rejects.toMatchObject({ code: 'HOST_FAULT' });
});

afterEach(() => vi.unstubAllEnvs());

const PREPARE = `
import hashlib, json, os
root = os.environ["ASSAY_OUTPUT"]
text = json.dumps(dict(os.environ))
os.makedirs(os.path.join(root, "train"), exist_ok=True)
with open(os.path.join(root, "train", "env.json"), "w") as file: file.write(text)
said = {"path": "train/env.json", "bytes": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest()}
with open(os.path.join(root, "manifest.json"), "w") as file: json.dump({"schema": "assay.data/1", "files": [said]}, file)
`;

const SECRET = '0123456789abcdef';

async function prepared(program: string): Promise<HostedTask> {
  const { spec, files } = await loadTask(TINY);
  const data = { prepare: 'prepare.py', train: 'train/', search: 'train/' };
  const all = [...files, { path: 'prepare.py', bytes: Buffer.from(program) }];
  const of = { spec: { ...spec, data }, digest: 'd', dataSecret: SECRET };
  const source = { ...of, files: () => Promise.resolve(all) };
  const folder = freshFolder();
  const host = new TaskHost(join(folder, 'home'), join(folder, 'cache'), await openSandbox({ tier: 'E' }));
  return host.host(source, new AbortController().signal);
}

it('a preparation that fails tells neither its secret nor a password', async () => {
  vi.stubEnv('HTTPS_PROXY', 'http://me:pa%40ss@proxy:3128');
  const failed = prepared(`
import os, sys
sys.exit(" ".join([os.environ["ASSAY_DATA_SECRET"], os.environ["HTTPS_PROXY"], "pa@ss", "is why"]))`);
  await expect(failed).rejects.toMatchObject({
    code: 'PREPARE_FAILED',
    detail: '*** http://me:***@proxy:3128 *** is why',
  });
});

it.each<[string, (place: string) => Promise<unknown>]>([
  ['a folder', (place) => mkdir(place)],
  ['a link', (place) => symlink('/etc/hostname', place)],
  ['too large', (place) => writeFile(place, '').then(() => truncate(place, 65 * 1024 * 1024))],
])('a manifest that is %s is of the preparation', async (_, make) => {
  const folder = freshFolder();
  await make(join(folder, 'manifest.json'));
  for (const fresh of [true, false])
    await expect(checkManifest({ folder, task: 'mine', fresh })).rejects.toMatchObject({
      code: fresh ? 'DATA_INVALID' : 'DATA_MISMATCH',
    });
});

it('a preparation reaches the network as its person does, and gets no key', async () => {
  const given = {
    https_proxy: 'http://proxy:3128',
    HTTPS_PROXY: 'http://proxy:3128',
    ALL_PROXY: 'socks5://proxy:1080',
    NO_PROXY: 'example.com',
    SSL_CERT_FILE: '/certificates.pem',
    SSL_CERT_DIR: '/certificates',
    REQUESTS_CA_BUNDLE: '/certificates.pem',
    HOME: '/home/person',
  };
  for (const [name, value] of Object.entries({ ...given, ANTHROPIC_API_KEY: 'key' })) vi.stubEnv(name, value);
  const { parts } = await prepared(PREPARE);
  const env: unknown = JSON.parse(await readFile(join(parts.train ?? '', 'env.json'), 'utf8'));
  expect(env).toMatchObject(given);
  expect(env).not.toHaveProperty('ANTHROPIC_API_KEY');
});
