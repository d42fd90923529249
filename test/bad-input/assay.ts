import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, vi } from 'vitest';
import { z } from 'zod';
import { runProgram } from '../../src/cli/run-program.js';
import { exitOf, expectError, type RowName, type Said } from './rows.js';

const ASSAY = fileURLToPath(new URL('../../bin/assay.js', import.meta.url));

export type Environment = Record<string, string>;

/** Runs the command line as its own process. */
export function assay(args: readonly string[], env: Environment, uid?: number) {
  return execa(process.execPath, [ASSAY, ...args], {
    reject: false,
    stdin: 'ignore',
    env: { NO_COLOR: '1', ...env },
    ...(uid === undefined ? {} : { uid }),
  });
}

const errorSchema = z.strictObject({
  schema: z.literal('assay.error/1'),
  detail: z.string(),
  code: z.string(),
  message: z.string(),
  remedy: z.string().min(1),
});

/**
 * Runs a command that has to fail, with --json: one JSON object on stdout, cause and remedy on stderr without a stack,
 * the exit code of the registry.
 */
export async function refusal(args: readonly string[], env: Environment, uid?: number): Promise<Said> {
  return failed(args, await assay([...args, '--json'], env, uid));
}

/**
 * Runs commands that the row refuses: the first as its own process, the others in this one, which is faster.
 */
export async function refused(
  row: RowName,
  env: Environment,
  first: readonly string[],
  ...more: (readonly string[])[]
): Promise<void> {
  expectError(row, await refusal(first, env));
  for (const args of more) expectError(row, await refusalHere(args, env));
}

/** Runs a command line that is refused, in this process. */
export async function refusalHere(args: readonly string[], env: Environment): Promise<Said> {
  return failed(args, await runHere([...args, '--json'], env));
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A command line in this process, which is left as it was. */
export async function runHere(args: readonly string[], env: Environment): Promise<Ended> {
  const said = { stdout: '', stderr: '' };
  const catching = (stream: 'stdout' | 'stderr') => (chunk: string | Uint8Array) => {
    said[stream] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(catching('stdout'));
  vi.spyOn(process.stderr, 'write').mockImplementation(catching('stderr'));
  for (const [name, value] of Object.entries({ NO_COLOR: '1', ...env })) vi.stubEnv(name, value);
  const before = process.exitCode;
  process.exitCode = undefined;
  const listening = SIGNALS.map((signal) => process.listeners(signal));
  try {
    const exitCode = await runProgram(args);
    return { ...said, exitCode };
  } finally {
    process.exitCode = before;
    for (const [at, signal] of SIGNALS.entries())
      for (const added of process.listeners(signal).filter((one) => listening[at]?.includes(one) !== true))
        process.off(signal, added);
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  }
}

export interface Ended {
  stdout: string;
  stderr: string;
  exitCode?: number | undefined;
}

function failed(args: readonly string[], { stdout, stderr, exitCode }: Ended): Said {
  const lines = stdout.split('\n').filter((line) => line !== '');
  expect(lines, `${args.join(' ')}: ${stderr}`).toHaveLength(1);
  const { code, message, remedy } = errorSchema.parse(JSON.parse(lines[0] ?? ''));
  expect(stderr).not.toMatch(/^ +at /m);
  expect(stderr).toContain(message);
  if (code !== 'USAGE') expect(stderr).toContain(remedy);
  expect(exitCode, stderr).toBe(exitOf(code));
  return { code, message, remedy };
}
