import { chmod, cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { cacheFolder } from '../../src/dev/paths.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** `nobody`: an account that every system has and that owns nothing. */
const NOBODY = 65_534;

/** Somebody without rights, with a clone, a home and a virtual environment of their own, in places with odd names. */
export interface PlainUser {
  clone: string;
  /** Starts a shell with these commands in the clone. */
  shell(commands: string): ReturnType<typeof shell>;
  remove(): Promise<void>;
}

interface Account {
  clone: string;
  env: Record<string, string>;
  as: { uid?: number; gid?: number };
}

function shell({ clone, env, as }: Account, commands: string) {
  return execa('bash', ['-euo', 'pipefail', '-c', commands], {
    ...as,
    cwd: clone,
    env,
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    all: true,
    // as in a terminal, whose Ctrl-C reaches everything that runs in it
    detached: true,
    cleanup: true,
  });
}

/** Makes the account; where the tests run as root, it is that of another user. */
export async function plainUser(): Promise<PlainUser> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-newcomer-'));
  const place = join(folder, 'Ordner für Größeres');
  const [clone, home, venv] = [join(place, 'assay 克隆'), join(place, 'home'), join(place, 'umgebung é')];
  for (const made of [clone, home]) await mkdir(made, { recursive: true });
  await chmod(folder, 0o755);
  await copyClone(clone);
  await copyPrograms(join(home, '.cache', 'assay'));
  const kept = Object.entries(process.env).filter(([name]) =>
    /^(PIP_\w+|npm_config_registry|\w*_proxy)$/i.test(name),
  );
  const env = {
    ...Object.fromEntries(kept.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
    PATH: [join(venv, 'bin'), '/usr/local/bin', '/usr/bin', '/bin'].join(':'),
    HOME: home,
    VIRTUAL_ENV: venv,
    LC_ALL: 'C',
  };
  const isRoot = process.getuid?.() === 0;
  if (isRoot) await execa('chown', ['-R', `${NOBODY}:${NOBODY}`, folder]);
  const account = { clone, env, as: isRoot ? { uid: NOBODY, gid: NOBODY } : {} };
  const made = await shell(account, `/usr/bin/python3 -m venv '${venv}'`);
  if (made.exitCode !== 0) throw new Error(`no virtual environment: ${made.all}`);
  return {
    clone,
    shell: (commands) => shell(account, commands),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Copies the sources as git sees them, changed ones too, and what `npm ci` installed. */
async function copyClone(to: string): Promise<void> {
  const list = await execa('git', ['-C', ROOT, 'ls-files', '-coz', '--exclude-standard']);
  const files = list.stdout.split('\0').filter((path) => path !== '' && existsSync(join(ROOT, path)));
  for (const path of files) await cp(join(ROOT, path), join(to, path), { recursive: true });
  await execa('cp', ['-r', join(ROOT, 'node_modules'), to]);
  await execa('git', ['-C', to, 'init', '--quiet']);
}

/** Spares the account the download of servers that this machine has already. */
async function copyPrograms(to: string): Promise<void> {
  const from = cacheFolder();
  await mkdir(to, { recursive: true });
  const { stdout } = await execa('ls', [from], { reject: false });
  for (const name of stdout.split('\n').filter((each) => /^(temporal|mongo)/.test(each)))
    await execa('cp', ['-r', join(from, name), to]);
}
