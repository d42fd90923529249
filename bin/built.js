// Finds builds of exactly the sources that lie here now, and keeps new ones. Plain JavaScript of Node alone: it runs at
// every start.
import { createHash } from 'node:crypto';
import {
  existsSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';

/**
 * What is built of the sources. Its builds lie in a folder that git ignores, one folder for each state of the sources,
 * named by its digest.
 * @typedef {object} Product
 * @property {string} folder path below the root
 * @property {string} entry file of a build that is loaded
 */
/** @type {Product} */
export const COMMANDS = { folder: 'dist/commands', entry: 'main.js' };
/** @type {Product} */
export const WORKFLOWS = { folder: 'dist/workflows', entry: 'workflows.js' };

/** Names of the files that the latest build was made of. */
const INPUTS = 'inputs.json';

/** Processes that still run may load more of an older build, so that these stay. */
const KEPT_BUILDS = 5;
const KEPT_MS = 30 * 24 * 60 * 60 * 1000;

/**
 * Finds the entry of the build that was made of the sources as they are; null where there is none. Contents are
 * compared, since times of files say nothing after a checkout or a copy. A file that a build did not read could only
 * matter through a change of one that it did.
 * @param {string} root
 * @param {Product} product
 * @returns {string | null}
 */
export function findBuild(root, { folder, entry }) {
  try {
    /** @type {unknown} */
    const inputs = JSON.parse(readFileSync(join(root, folder, INPUTS), 'utf8'));
    if (!Array.isArray(inputs)) return null;
    const found = join(root, folder, digestOf(root, inputs.map(String)), entry);
    return existsSync(found) ? found : null;
  } catch {
    // no build yet, or one of its sources is gone
    return null;
  }
}

/**
 * Moves what was built into its place as one step: of two builders at once either may win, and one that is killed
 * leaves nothing that is ever loaded. Returns the entry.
 * @param {string} root
 * @param {Product} product
 * @param {string} fresh folder with what was built, beside the other builds
 * @param {ReadonlyMap<string, Uint8Array>} inputs contents that it was built of, by path below the root
 */
export function keepBuild(root, { folder, entry }, fresh, inputs) {
  const paths = [...inputs.keys()].sort();
  const place = join(
    root,
    folder,
    digestOf(root, paths, (path) => contentOf(inputs, path)),
  );
  moveInto(place, fresh, entry);
  writeFileSync(`${fresh}.json`, JSON.stringify(paths));
  renameSync(`${fresh}.json`, join(root, folder, INPUTS));
  removeOldBuilds(join(root, folder));
  return join(place, entry);
}

/**
 * Names a file that a build reads: a source by its path below the root, a file of a package by the package's manifest,
 * whose version stands for its content.
 * @param {string} root
 * @param {string} path
 */
export function inputOf(root, path) {
  const packages = '/node_modules/';
  const at = path.lastIndexOf(packages);
  if (at === -1) return relative(root, path);
  const below = at + packages.length;
  return relative(root, join(path.slice(0, below), packageOf(path.slice(below)), 'package.json'));
}

/**
 * Names the package that a path below `node_modules`, or an import, belongs to.
 * @param {string} path
 */
export const packageOf = (path) => path.split('/', path.startsWith('@') ? 2 : 1).join('/');

/**
 * Returns true for a package that was installed into another: its sources lie among those of other packages, and they
 * are compiled as they are loaded.
 * @param {string} root
 */
export const isInstalled = (root) => root.includes('/node_modules/');

/**
 * Digests files by name and content.
 * @param {string} root
 * @param {readonly string[]} inputs paths below the root
 * @param {(path: string) => Uint8Array} read
 * @returns {string}
 */
function digestOf(root, inputs, read = (path) => readFileSync(join(root, path))) {
  const hash = createHash('sha256');
  for (const path of inputs) {
    const content = read(path);
    hash.update(`${path}\n${content.length}\n`).update(content);
  }
  return hash.digest('hex').slice(0, 32);
}

/**
 * @param {ReadonlyMap<string, Uint8Array>} inputs
 * @param {string} path
 */
function contentOf(inputs, path) {
  const content = inputs.get(path);
  if (content === undefined) throw new Error(`${path} was not read`);
  return content;
}

/**
 * @param {string} place
 * @param {string} fresh
 * @param {string} entry
 */
function moveInto(place, fresh, entry) {
  try {
    renameSync(fresh, place);
  } catch (error) {
    if (!existsSync(join(place, entry))) throw error;
    // the same was built before: it counts as the newest again
    utimesSync(place, new Date(), new Date());
  }
}

/** @param {string} folder */
function removeOldBuilds(folder) {
  const builds = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({ path: join(folder, name), at: usedAt(join(folder, name)) }))
    .sort((a, b) => b.at - a.at);
  for (const { path, at } of builds.slice(KEPT_BUILDS))
    if (Date.now() - at > KEPT_MS) rmSync(path, { recursive: true, force: true });
}

/**
 * When a build was last started, in milliseconds; endless where another builder has moved it away meanwhile.
 * @param {string} folder
 */
const usedAt = (folder) => statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
