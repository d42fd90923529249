import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { messageOf } from '../../domain/errors.js';
import type { Isolation } from '../../domain/task/isolation.js';
import type { RunRequest } from '../run.js';
import { openConstant } from '../sealing/constant-file.js';
import type { Launch } from '../tiers/launch.js';
import { SIGNAL_VARIABLES } from './signals.js';

/** A program to be supervised. */
export interface Plan {
  launch: Launch;
  request: RunRequest;
  isolation: Isolation;
  /** Stream that is the log; with `stderr`, stdin and stdout are the caller's. */
  log: 'stdout' | 'stderr';
  /** Pipes for the caller, after the descriptors of the wrapper. */
  extra: number;
}

/** Descriptor after those of the wrapper. */
export const firstExtra = ({ reports, inputs }: Launch): number => 3 + (reports ? 1 : 0) + inputs.length;

/** Tells a run that may give signals by which descriptors it does. */
function signalVariables({ launch, request, extra }: Plan): Record<string, string> {
  if (request.signals === undefined) return {};
  const first = firstExtra(launch) + extra;
  return Object.fromEntries(SIGNAL_VARIABLES.map((name, at) => [name, String(first + at)]));
}

/** Starts a program; gives the process, or in words why there is none. */
export function startProgram(plan: Plan): ChildProcess | string {
  const { launch, request } = plan;
  const extra = plan.extra + (request.signals === undefined ? 0 : SIGNAL_VARIABLES.length);
  const inputs: number[] = [];
  try {
    for (const input of launch.inputs) inputs.push(openConstant(input));
    return spawn(launch.file, launch.args, {
      cwd: launch.cwd,
      env: { ...request.env, ...startTime(request), ...signalVariables(plan), ASSAY_RUN: request.id },
      detached: true,
      stdio: [
        // never /dev/null of the host, which a run could change
        'pipe',
        'pipe',
        'pipe',
        ...(launch.reports ? ['pipe' as const] : []),
        ...inputs,
        ...Array.from({ length: extra }, () => 'pipe' as const),
      ],
    });
  } catch (error) {
    return messageOf(error);
  } finally {
    for (const descriptor of inputs) closeSync(descriptor);
  }
}

/** Seconds of the clock that does not go back, as every process of this host reads it. */
function startTime({ startVariable }: RunRequest): Record<string, string> {
  return startVariable === undefined
    ? {}
    : { [startVariable]: (Number(process.hrtime.bigint()) / 1e9).toFixed(6) };
}
