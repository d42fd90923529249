import { constants, lstatSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { sha256 } from '../../domain/digest.js';
import { namesIn } from '../host/disk-use.js';
import type { Runtime } from '../run.js';
import { programOnPath } from '../tiers/launch.js';
import { librariesOf } from './libraries.js';

/** Files, folders and links that a root of its own is made from. */
export interface RuntimeTree {
  /** Paths on the host, sorted; each lies at the same place in the root. */
  paths: string[];
  /** Total of all files. */
  bytes: number;
  /** Folders (in /etc files as well), no one within another, that hold every path of the root. */
  anchors: string[];
  /** Links directly below `/`, such as /bin to usr/bin. */
  links: { path: string; target: string }[];
  /**
   * Digest of every path with its kind, size, time of change and target: equal digests stand for equal roots.
   */
  digest: string;
}

/** Programs that a command of a server can count on beside its interpreter. */
const PROGRAMS = [
  ...[
    'sh',
    'bash',
    'env',
    'cat',
    'ls',
    'mkdir',
    'cp',
    'mv',
    'rm',
    'ln',
    'touch',
    'chmod',
    'readlink',
    'realpath',
  ],
  ...[
    'head',
    'tail',
    'cut',
    'sort',
    'tr',
    'wc',
    'sed',
    'grep',
    'tee',
    'seq',
    'stat',
    'date',
    'sleep',
    'timeout',
  ],
  ...['true', 'false', 'test', '[', 'echo', 'printf', 'expr', 'dirname', 'basename', 'uname', 'id', 'nproc'],
];
/** The shell by the name that every command is started by, and what the loader finds libraries by. */
const ALWAYS = ['/bin/sh', '/etc/ld.so.cache'];
/** Paths that are looked at before others get a turn: a runtime may have a hundred thousand. */
const TURN = 500;
/** Loaded by name while a program runs, so that no program says that it needs them. */
const LOADED_LATER = ['libgcc_s.so.1', 'libstdc++.so.6'];
/**
 * Parts of an interpreter that no program at work imports, and packages beside its library, which are named by
 * themselves where they can be imported.
 */
const LEFT_OUT = /\/lib\/python3(?:\.\d+)?\/(?:test|idlelib|config-3\.[^/]*|site-packages|dist-packages)$/;

/** Everything that a runtime needs, with the libraries that its programs load, links followed. */
export async function runtimeTree(runtime: Runtime): Promise<RuntimeTree> {
  const collected = new Collected();
  const programs = PROGRAMS.flatMap((name) => programOnPath(name, SYSTEM_FOLDERS) ?? []);
  for (const path of [...ALWAYS, ...programs, ...runtime.paths]) await collected.add(path);
  for (const path of runtime.library ?? []) await collected.add(path, LEFT_OUT);
  for (const path of await librariesOf(collected.binaries(), LOADED_LATER)) await collected.add(path);
  return collected.tree();
}

const SYSTEM_FOLDERS = ['/usr/local/bin', '/usr/bin', '/bin'];

class Collected {
  readonly #found = new Map<string, Stats>();
  /** Folders of which all that is wanted was taken, and not only what lies on the way to something else. */
  readonly #whole = new Set<string>();

  /** A path with all below it but what is left out; one that does not exist is nothing. */
  async add(path: string, leftOut: RegExp | null = null): Promise<void> {
    const open = [path];
    for (let next = open.pop(), looked = 1; next !== undefined; next = open.pop(), looked += 1) {
      if (looked % TURN === 0) await setImmediate();
      const real = this.#walk(resolve(next));
      if (real === null || this.#whole.has(real) || this.#found.get(real)?.isDirectory() !== true) continue;
      this.#whole.add(real);
      const children = namesIn(real).map((name) => join(real, name));
      open.push(...children.filter((child) => leftOut?.test(child) !== true));
    }
  }

  /** Notes every folder and link on the way; returns where the path really is, or null. */
  #walk(path: string, links = 0): string | null {
    let at = '/';
    const parts = path.split('/').filter((part) => part !== '');
    for (const [index, part] of parts.entries()) {
      const next = join(at, part);
      const stat = this.#found.get(next) ?? statOf(next);
      if (stat === null || (!stat.isDirectory() && !stat.isFile() && !stat.isSymbolicLink())) return null;
      this.#found.set(next, stat);
      if (stat.isSymbolicLink()) {
        const rest = parts.slice(index + 1);
        return links > 40 ? null : this.#walk(resolve(at, readlinkSync(next), ...rest), links + 1);
      }
      at = next;
    }
    return at;
  }

  /** Files that may be programs or libraries. */
  binaries(): string[] {
    return [...this.#found].flatMap(([path, stat]) =>
      stat.isFile() && (/\.so(\.|$)/.test(path) || (stat.mode & constants.S_IXUSR) !== 0) ? [path] : [],
    );
  }

  tree(): RuntimeTree {
    const paths = [...this.#found.keys()].sort();
    const links = paths.flatMap((path) =>
      dirname(path) === '/' && this.#found.get(path)?.isSymbolicLink() === true
        ? [{ path, target: readlinkSync(path) }]
        : [],
    );
    const rows = paths.map((path) => `${path}\0${this.#identity(path)}`);
    return {
      paths,
      bytes: this.#bytes(),
      anchors: this.#anchors(paths),
      links,
      digest: sha256(rows.join('\n')),
    };
  }

  #identity(path: string): string {
    const stat = this.#found.get(path);
    if (stat === undefined || stat.isDirectory()) return 'folder';
    return stat.isSymbolicLink()
      ? `link ${readlinkSync(path)}`
      : `${stat.mode} ${stat.size} ${stat.mtimeMs} ${stat.ino}`;
  }

  #bytes(): number {
    return [...this.#found.values()].reduce((sum, stat) => sum + (stat.isFile() ? stat.size : 0), 0);
  }

  /**
   * The highest folders that were taken, and files that lie in none of them: a folder on the way may hold folders of a
   * run. Of /usr and /etc the second level, which holds many.
   */
  #anchors(paths: readonly string[]): string[] {
    const anchors: string[] = [];
    for (const path of paths) {
      const stat = this.#found.get(path);
      const isTaken = stat?.isDirectory() !== true || this.#whole.has(path);
      if (!isTaken || dirname(path) === '/') continue;
      const anchor = /^\/(usr|etc)\//.test(path) ? path.split('/').slice(0, 3).join('/') : path;
      // sorted, a folder comes before what it holds
      if (!anchors.some((other) => anchor === other || anchor.startsWith(`${other}/`))) anchors.push(anchor);
    }
    return anchors;
  }
}

function statOf(path: string): Stats | null {
  try {
    return lstatSync(path);
  } catch {
    return null;
  }
}
