// Bundles src/cli for Node, so that a command need not compile TypeScript: `npm ci` runs it, and so does the first
// command after a change of the sources.
import { randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { BUILDS, ENTRY, INPUTS, digestOf, isInstalled } from './built.js';

/** Packages that become part of the build; the others are loaded from node_modules. */
const BUNDLED = new Set(['commander', 'diff', 'execa', 'log-update', 'mongodb', 'table', 'yaml', 'zod']);
/** A build is made of these as well, although none of them is bundled. */
const RECIPE = ['bin/build.js', 'bin/built.js', 'node_modules/esbuild/package.json', 'tsconfig.json'];

/** Commands that still run may load more of an older build, so that these stay. */
const KEPT_BUILDS = 5;
const KEPT_MS = 30 * 24 * 60 * 60 * 1000;

/**
 * Builds, and moves what was built into its place as one step: of two at once either may win, and one that is killed
 * leaves nothing that is ever run.
 * @param {string} root
 */
async function buildCommands(root) {
  const fresh = join(root, BUILDS, `.fresh-${randomUUID()}`);
  try {
    const inputs = await bundle(root, fresh);
    const place = join(
      root,
      BUILDS,
      digestOf(root, [...inputs.keys()], (path) => contentOf(inputs, path)),
    );
    moveInto(place, fresh);
    writeFileSync(`${fresh}.json`, JSON.stringify([...inputs.keys()]));
    renameSync(`${fresh}.json`, join(root, INPUTS));
    removeOldBuilds(join(root, BUILDS));
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/**
 * Returns what was bundled: of each source the very text that the bundler was given, of packages their manifests.
 * @param {string} root
 * @param {string} folder
 */
async function bundle(root, folder) {
  /** @type {Map<string, Uint8Array>} */
  const read = new Map(RECIPE.map((path) => [path, readFileSync(join(root, path))]));
  /** @type {import('esbuild').Plugin} */
  const plugin = {
    name: 'assay',
    setup(build) {
      build.onResolve({ filter: /^[^./]/ }, ({ path, importer, kind }) => {
        if (kind === 'entry-point' || importer.includes('/node_modules/')) return undefined;
        return isBuiltin(path) || !BUNDLED.has(packageOf(path)) ? { external: true } : undefined;
      });
      build.onLoad({ filter: /\.[cm]?[jt]s$/ }, ({ path }) => {
        const manifest = manifestOf(root, path);
        if (manifest !== null) {
          if (!read.has(manifest)) read.set(manifest, readFileSync(join(root, manifest)));
          return undefined;
        }
        const name = relative(root, path);
        const content = readFileSync(path);
        read.set(name, content);
        return { contents: located(content.toString(), name), loader: path.endsWith('.ts') ? 'ts' : 'js' };
      });
    },
  };
  await build({
    absWorkingDir: root,
    entryPoints: { main: 'src/cli/main.ts' },
    outdir: folder,
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    keepNames: true,
    // for packages that are CommonJS
    banner: {
      js: "import { createRequire as __requireOf } from 'node:module'; const require = __requireOf(import.meta.url);",
    },
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'silent',
    plugins: [plugin],
  });
  return new Map([...read].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * In a build `import.meta.url` stays the address of the source, beside which its other files lie.
 * @param {string} text
 * @param {string} name
 */
function located(text, name) {
  return text.replaceAll(
    'import.meta.url',
    `new URL(${JSON.stringify(`../../${name}`)}, import.meta.url).href`,
  );
}

/**
 * The manifest of the package that a file belongs to, null for a source: its version stands for the package's content.
 * @param {string} root
 * @param {string} path
 */
function manifestOf(root, path) {
  const folder = '/node_modules/';
  const at = path.lastIndexOf(folder);
  if (at === -1) return null;
  const below = at + folder.length;
  return relative(root, join(path.slice(0, below), packageOf(path.slice(below)), 'package.json'));
}

/** @param {string} path */
const packageOf = (path) => path.split('/', path.startsWith('@') ? 2 : 1).join('/');

/**
 * @param {Map<string, Uint8Array>} inputs
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
 */
function moveInto(place, fresh) {
  try {
    renameSync(fresh, place);
  } catch (error) {
    if (!existsSync(join(place, ENTRY))) throw error;
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

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  // an image installs its packages before it has the sources
  if (existsSync(join(root, 'src/cli/main.ts')) && !isInstalled(root)) {
    mkdirSync(join(root, BUILDS), { recursive: true });
    await buildCommands(root);
  }
}
