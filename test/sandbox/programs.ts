import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { afterAll } from 'vitest';
import type { Limits, RunRequest } from '../../src/sandbox/sandbox.js';
import type { TierName } from '../../src/domain/task/isolation.js';
import { markerOf, processTable } from '../../src/sandbox/process/process-table.js';
import { removeTree } from '../../src/sandbox/remove-tree.js';
import { surveyTiers } from '../../src/sandbox/sandbox.js';

/** An interpreter that every user may run: the system's where there is one, else that of PATH. */
const interpreter = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';
const described: unknown = JSON.parse(
  execFileSync(interpreter, ['-c', 'import json,sys; print(json.dumps([sys.executable, sys.base_prefix]))'], {
    encoding: 'utf8',
  }),
);
const [executable, prefix] = Array.isArray(described) ? described.map(String) : [];
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
afterAll(async () => {
  for (const folder of folders.splice(0)) await removeTree(folder);
});

/** An empty folder that is removed after the tests of the file. */
export function freshFolder(): string {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'assay-test-'));
  // like the folders of a worker; all users may read its contents
  chmodSync(folder, 0o755);
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

/** Living processes of a run, by its mark in their environment. */
export async function survivors(run: string): Promise<number[]> {
  const rows = [...(await processTable()).values()];
  return rows.filter((row) => !row.zombie && markerOf(row.pid) === run).map((row) => row.pid);
}

/** A command that runs Python code given as text. */
export function pythonCommand(code: string): string {
  return `exec python3 -c '${code.replaceAll("'", `'\\''`)}'`;
}

const found = await surveyTiers({ all: true, needed: () => Promise.resolve([PREFIX]) });
for (const { tier, why } of found)
  // a tier that cannot be tested must be seen, not silently left out
  if (why !== null) process.stderr.write(`tier ${tier} is not tested here: ${why}\n`);

export const TIERS: readonly TierName[] = found.flatMap(({ tier, why }) => (why === null ? [tier] : []));

/** The strongest and the weakest tier of this machine: what holds there by the same code, the slow tests try at others. */
export const OUTER_TIERS = TIERS.filter((_, at) => at === 0 || at === TIERS.length - 1);
export const INNER_TIERS = TIERS.slice(1, -1);
