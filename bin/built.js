// Finds the build of exactly the sources that lie here now. Plain JavaScript of Node alone: it runs at every start.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folder of builds, which git ignores: one folder for each state of the sources, named by its digest. */
export const BUILDS = 'dist';
/** The names of the files that the latest build was made of. */
export const INPUTS = join(BUILDS, 'inputs.json');
/** Entry file of a build. */
export const ENTRY = 'main.js';

/**
 * Finds the entry of the build that was made of the sources as they are; null where there is none. Contents are
 * compared, since times of files say nothing after a checkout or a copy. A file that a build did not read could only
 * matter through a change of one that it did.
 * @param {string} root
 * @returns {string | null}
 */
export function findBuild(root) {
  try {
    /** @type {unknown} */
    const inputs = JSON.parse(readFileSync(join(root, INPUTS), 'utf8'));
    if (!Array.isArray(inputs)) return null;
    const entry = join(root, BUILDS, digestOf(root, inputs.map(String)), ENTRY);
    return existsSync(entry) ? entry : null;
  } catch {
    // no build yet, or one of its sources is gone
    return null;
  }
}

/**
 * Digests files by name and content.
 * @param {string} root
 * @param {readonly string[]} inputs paths below the root
 * @param {(path: string) => Uint8Array} read
 * @returns {string}
 */
export function digestOf(root, inputs, read = (path) => readFileSync(join(root, path))) {
  const hash = createHash('sha256');
  for (const path of inputs) {
    const content = read(path);
    hash.update(`${path}\n${content.length}\n`).update(content);
  }
  return hash.digest('hex').slice(0, 32);
}

/**
 * Returns true for a package that was installed into another: its sources lie among those of other packages, and they
 * are compiled as they are loaded.
 * @param {string} root
 */
export const isInstalled = (root) => root.includes('/node_modules/');
