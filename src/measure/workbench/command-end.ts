import type { CommandEnd } from '../../domain/session/bench.js';
import { describeEnding } from '../../sandbox/describe-ending.js';
import type { RunResult } from '../../sandbox/run.js';

/** Words the end of a command of a session. */
export function commandEnd({
  ending,
  wallMs,
  log,
}: Pick<RunResult, 'ending' | 'wallMs' | 'log'>): CommandEnd {
  const seconds = `${(wallMs / 1000).toFixed(1)} s`;
  return ending.kind === 'exited'
    ? { exit: ending.code, ended: `exit status ${ending.code}, ${seconds}`, wallMs, log }
    : { exit: null, ended: `the command ${describeEnding(ending)}, after ${seconds}`, wallMs, log };
}
