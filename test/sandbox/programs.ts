import { execFileSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { afterAll } from 'vitest';
import type { Limits, RunRequest } from '../../src/sandbox/sandbox.js';
import { whyNotTierC } from '../../src/sandbox/sandbox.js';

/** The interpreter of this machine, which may lie outside /usr. */
const found: unknown = JSON.parse(
  execFileSync('python3', ['-c', 'import json,sys; print(json.dumps([sys.executable, sys.base_prefix]))'], {
    encoding: 'utf8',
  }),
);
const [executable, prefix] = Array.isArray(found) ? found.map(String) : [];
export const python = realpathSync(executable ?? '');
const PREFIX = realpathSync(prefix ?? '');

export const LIMITS: Limits = {
  wallS: 60,
  memoryBytes: 512 * 1024 * 1024,
  diskBytes: 64 * 1024 * 1024,
  logBytes: 64 * 1024,
  processes: 32,
};

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** An empty folder that is removed after the tests of the file. */
export function freshFolder(): string {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'assay-test-'));
  folders.push(folder);
  return folder;
}

/** A request in a folder of its own, which it may write. */
export function requestFor(command: string, more: Partial<RunRequest> = {}): RunRequest {
  const cwd = more.cwd ?? freshFolder();
  return {
    id: `test-${randomUUID()}`,
    command,
    cwd,
    writable: [cwd],
    readable: [PREFIX],
    env: { PATH: `${dirname(python)}:/usr/bin:/bin` },
    limits: LIMITS,
    signal: new AbortController().signal,
    ...more,
  };
}

/** A command that runs Python code given as text. */
export function pythonCommand(code: string): string {
  return `exec python3 -c '${code.replaceAll("'", `'\\''`)}'`;
}

const why = await whyNotTierC();
// a tier that cannot be tested must be seen, not silently left out
if (why !== null) process.stderr.write(`tier C is not tested here: ${why}\n`);

export const TIERS = why === null ? (['C', 'E'] as const) : (['E'] as const);
export const hasTierC = why === null;
