// Builds what need not be compiled at every start: `npm ci` runs it for all of it. The first command after a change of
// the sources builds the commands again, and the first worker the workflows.
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { COMMANDS, inputOf, isInstalled, keepBuild, packageOf } from './built.js';

/** Packages that become part of the build; the others are loaded from node_modules. */
const BUNDLED = new Set(['commander', 'diff', 'execa', 'log-update', 'mongodb', 'table', 'yaml', 'zod']);
/** A build is made of these as well, although none of them is bundled. */
const RECIPE = ['bin/build.js', 'bin/built.js', 'node_modules/esbuild/package.json', 'tsconfig.json'];

/** @param {string} root */
async function buildCommands(root) {
  const fresh = join(root, COMMANDS.folder, `.fresh-${randomUUID()}`);
  mkdirSync(join(root, COMMANDS.folder), { recursive: true });
  try {
    keepBuild(root, COMMANDS, fresh, await bundle(root, fresh));
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
        const name = inputOf(root, path);
        if (name !== relative(root, path)) {
          if (!read.has(name)) read.set(name, readFileSync(join(root, name)));
          return undefined;
        }
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
  return read;
}

/**
 * In a build `import.meta.url` stays the address of the source, beside which its other files lie.
 * @param {string} text
 * @param {string} name
 */
function located(text, name) {
  return text.replaceAll(
    'import.meta.url',
    `new URL(${JSON.stringify(`../../../${name}`)}, import.meta.url).href`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  // an image installs its packages before it has the sources
  if (existsSync(join(root, 'src/cli/main.ts')) && !isInstalled(root)) {
    await buildCommands(root);
    if (process.argv.includes('--workflows')) {
      (await import('tsx/esm/api')).register();
      await (await import('../workers/workflow-bundle.js')).workflowBundle();
    }
  }
}
