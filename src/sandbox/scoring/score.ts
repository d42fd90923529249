import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { Bridge, withinParting, type ServerRequest } from './bridge.js';
import { FirstBytes } from '../process/kept-bytes.js';
import type { RunRequest, Sandbox, Served } from '../run.js';
import { LARGEST_RESULT } from './evaluation-result.js';
import { judge, type Scored } from './judge.js';
import { limited, withLockedMemory } from '../process/shell.js';
import { supervise, type Supervision } from '../supervision/supervise.js';
import { Successor } from './successor.js';
import { deviceVariables, heldWithDevices } from '../tiers/device-access.js';
import { tierE } from '../tiers/tier-e.js';

export interface ScoreRequest {
  /** The recipe's server, run in the sandbox; null for direct scoring. Let its wall limit exceed the evaluator's. */
  server: ServerRequest | null;
  /** Request of a second server in folders of its own, where the evaluator compares two servers. */
  twin?: ServerRequest | null;
  /** The task's own program: trusted, so a process group with limits and a clean environment. */
  evaluator: RunRequest;
}

/**
 * Runs the evaluator, and beside it the recipe's server where there is one, connected through this process. The
 * evaluator finds its descriptors by number in the environment: ASSAY_RESULT_FD (it writes its one JSON object there),
 * ASSAY_SERVER_IN_FD (it writes to the server), ASSAY_SERVER_OUT_FD (it reads from the server), and the same for a twin
 * in ASSAY_TWIN_IN_FD and ASSAY_TWIN_OUT_FD. The twin starts when the first server has answered bye and nothing of
 * that one is alive, so that the two cannot speak with each other; what is written to it before waits. All
 * are dead when this returns. Rejects only with HOST_FAULT.
 */
export async function score(sandbox: Sandbox, request: ScoreRequest): Promise<Scored> {
  const server = request.server === null ? null : await sandbox.serve(request.server);
  try {
    return await scoreBeside(server, sandbox, request);
  } finally {
    await server?.kill().catch(() => undefined);
  }
}

async function scoreBeside(server: Served | null, sandbox: Sandbox, request: ScoreRequest): Promise<Scored> {
  const twin = request.twin ?? null;
  const evaluator = startEvaluator(request.evaluator, server === null ? 0 : twin === null ? 1 : 2);
  let first: Bridge | null = null;
  let second: Successor | null = null;
  try {
    const [result, ...pipes] = evaluator.extra;
    const answer = collect(result);
    if (server !== null) first = Bridge.over(server, pipes.slice(0, 2), request.server);
    if (first !== null && twin !== null) second = new Successor(sandbox, twin, first, pipes.slice(2));
    const failures = [server?.done, second?.over].flatMap((one) => (one === undefined ? [] : failureOf(one)));
    const evaluatorRun = await Promise.race([evaluator.done, ...failures]);
    const rawResult = await answer();
    const bridges = [first, second?.end() ?? null].filter((bridge) => bridge !== null);
    const sides = await Promise.all(bridges.map(async (bridge) => ({ bridge, run: await bridge.part() })));
    return judge(evaluatorRun, rawResult, sides);
  } finally {
    const ends = [second?.kill(), server?.kill(), evaluator.kill()].map((end) => Promise.resolve(end));
    first?.close();
    await Promise.allSettled(ends);
    for (const pipe of evaluator.extra) pipe.destroy();
  }
}

/** Never resolves; rejects when the sandbox itself failed. */
function failureOf(work: Promise<unknown>): Promise<never> {
  return new Promise((_, reject) => void work.catch(reject));
}

const DESCRIPTORS = ['ASSAY_SERVER_IN_FD', 'ASSAY_SERVER_OUT_FD', 'ASSAY_TWIN_IN_FD', 'ASSAY_TWIN_OUT_FD'];

function startEvaluator(request: RunRequest, servers: 0 | 1 | 2): Supervision {
  const names = ['ASSAY_RESULT_FD', ...DESCRIPTORS.slice(0, 2 * servers)];
  const descriptors = Object.fromEntries(names.map((name, at) => [name, String(3 + at)]));
  const told = { ...request, env: { ...request.env, ...deviceVariables(request), ...descriptors } };
  const shell = limited(request.command, request.limits, 'joined', null);
  return supervise({
    launch: withLockedMemory(tierE.launch(told, shell)),
    request: told,
    isolation: heldWithDevices(tierE.isolation, told),
    log: 'stdout',
    extra: names.length,
  });
}

/** Collects the result while it is written; the function returned waits for its end. */
function collect(stream: Readable | undefined): () => Promise<string> {
  if (stream === undefined) return () => Promise.resolve('');
  const kept = new FirstBytes(LARGEST_RESULT + 1);
  stream.on('data', (chunk: Buffer) => kept.add(chunk));
  const ended = finished(stream, { writable: false }).catch(() => undefined);
  return async () => {
    await withinParting(ended);
    return kept.bytes().toString('utf8');
  };
}
