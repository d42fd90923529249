/** Makes the archive that bench/gpu.sh runs: the probe in one file, Node, bubblewrap with its libraries, and the task. */
import { chmod, cp, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { execa } from 'execa';
import { programOnPath } from '../../src/sandbox/tiers/launch.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MOST_BYTES = 60 * 1024 * 1024;
const LOADER = '/lib64/ld-linux-x86-64.so.2';

async function bundle(folder: string): Promise<void> {
  await build({
    absWorkingDir: ROOT,
    entryPoints: {
      probe: 'bench/gpu/probe.ts',
      'watchdog-thread': 'src/sandbox/process/watchdog-thread.js',
    },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    minify: true,
    keepNames: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    banner: {
      js: "import { createRequire as __requireOf } from 'node:module'; const require = __requireOf(import.meta.url);",
    },
    logLevel: 'warning',
  });
  // the probe starts its thread by the name that it has in the sources
  await cp(join(folder, 'watchdog-thread.mjs'), join(folder, 'watchdog-thread.js'));
  await writeFile(join(folder, 'package.json'), '{"type": "module"}\n');
}

/** Libraries of a program but the C library, which every Linux has. */
async function librariesOf(program: string): Promise<string[]> {
  const { stdout } = await execa('ldd', [program]);
  return [...stdout.matchAll(/=> (\/\S+)/g)]
    .map(([, path = '']) => path)
    .filter((path) => !path.includes('/libc.so'));
}

async function carryBubblewrap(folder: string): Promise<void> {
  const bwrap = programOnPath('bwrap');
  if (bwrap === null) throw new Error('bwrap is not on PATH: install bubblewrap first');
  await mkdir(join(folder, 'lib'));
  await mkdir(join(folder, 'bin'));
  await cp(bwrap, join(folder, 'lib/bwrap'));
  for (const library of await librariesOf(bwrap))
    await cp(library, join(folder, 'lib', basename(library)), { dereference: true });
  // by the loader, because a variable with the path would be seen by what runs inside
  const script = `#!/bin/sh\nlib=$(dirname "$0")/../lib\nexec ${LOADER} --library-path "$lib" "$lib/bwrap" "$@"\n`;
  await writeFile(join(folder, 'bin/bwrap'), script);
  await chmod(join(folder, 'bin/bwrap'), 0o755);
}

const [, , target = 'dist/gpu/probe.tar.xz'] = process.argv;
const folder = await mkdtemp(join(tmpdir(), 'gpu-pack-'));
// a run's own user has to come to it
await chmod(folder, 0o755);
try {
  await bundle(folder);
  await cp(process.execPath, join(folder, 'node'));
  await execa('strip', [join(folder, 'node')], { reject: false });
  await carryBubblewrap(folder);
  await cp(join(ROOT, 'bench/gpu/task'), join(folder, 'task'), { recursive: true });
  await cp(join(ROOT, 'bench/gpu/kernel.py'), join(folder, 'kernel.py'));
  await cp(join(ROOT, 'evaluator-kit'), join(folder, 'evaluator-kit'), { recursive: true });
  await mkdir(dirname(target), { recursive: true });
  await execa('tar', ['-C', folder, '-cJf', target, '.'], { env: { XZ_OPT: '-6 -T2' } });
  const { size } = await stat(target);
  process.stdout.write(`${target}: ${(size / 1024 / 1024).toFixed(1)} MiB\n`);
  if (size > MOST_BYTES) throw new Error(`that is above ${MOST_BYTES / 1024 / 1024} MiB`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
