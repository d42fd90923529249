import { type Duplex, type Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { messageOf } from '../domain/errors.js';
import { evaluationSchema, type Evaluation } from '../domain/evaluation.js';
import { describeEnding } from './ending.js';
import { FrameMeter } from './frames.js';
import type { RunRequest, RunResult, Sandbox, Served } from './run.js';
import { limited } from './shell.js';
import { supervise, type Supervision } from './supervise.js';
import { tierE } from './tierE.js';

export interface ScoreRequest {
  /** The recipe's server, run in the sandbox; null for direct scoring. Let its wall limit exceed the evaluator's. */
  server: (RunRequest & { startupS: number }) | null;
  /** The task's own program: trusted, so a process group with limits and a clean environment. */
  evaluator: RunRequest;
}

/** What came of a scoring. */
export interface Scored {
  /** What the evaluator said, if that can be used. A `failure` in it is the recipe's, with blame `none`. */
  evaluation: Evaluation | null;
  /** The text on the result descriptor, its first 64 kB. */
  rawResult: string;
  evaluatorRun: RunResult;
  serverRun: RunResult | null;
  /** recipe: its server crashed, left or was late; evaluator: it gave no usable answer though it could have. */
  blame: 'none' | 'recipe' | 'evaluator';
  /** With blame `recipe`: whether it was out of time rather than broken. */
  late: boolean;
  /** In words; empty with blame `none`, `cancelled` when it was. */
  reason: string;
}

const LARGEST_RESULT = 64 * 1024;
/** How long a server may take to leave after it was dismissed, and a pipe to end after its process. */
const PARTING_MS = 1000;

/**
 * Runs the evaluator, and beside it the recipe's server where there is one, connected through this process. The
 * evaluator finds three descriptors by number in ASSAY_RESULT_FD (it writes its one JSON object there),
 * ASSAY_SERVER_IN_FD (it writes to the server) and ASSAY_SERVER_OUT_FD (it reads from the server). Both are dead
 * when this returns. Rejects only with HOST_FAULT.
 */
export async function score(sandbox: Sandbox, request: ScoreRequest): Promise<Scored> {
  const server = request.server === null ? null : await sandbox.serve(request.server);
  const evaluator = startEvaluator(request.evaluator, server !== null);
  const [result, toServer, fromServer] = evaluator.extra;
  const answer = collect(result);
  const bridge =
    server === null || toServer === undefined || fromServer === undefined
      ? null
      : new Bridge(server, toServer, fromServer, request.server?.startupS ?? 0);
  try {
    const over = server === null ? evaluator.done : Promise.race([evaluator.done, failureOf(server)]);
    const evaluatorRun = await over;
    const rawResult = await answer();
    const serverRun = await bridge?.part();
    return judge(evaluatorRun, rawResult, serverRun ?? null, bridge);
  } finally {
    bridge?.close();
    await Promise.allSettled([server?.kill() ?? Promise.resolve(), evaluator.kill()]);
    for (const pipe of evaluator.extra) pipe.destroy();
  }
}

/** Never resolves; rejects when the sandbox itself failed. */
function failureOf(server: Served): Promise<never> {
  return new Promise((_, reject) => void server.done.catch(reject));
}

function startEvaluator(request: RunRequest, served: boolean): Supervision {
  const descriptors = served ? { ASSAY_SERVER_IN_FD: '4', ASSAY_SERVER_OUT_FD: '5' } : {};
  const told = { ...request, env: { ...request.env, ASSAY_RESULT_FD: '3', ...descriptors } };
  const shell = limited(request.command, request.limits, 'joined', null);
  return supervise({
    launch: tierE.launch(told, shell),
    request: told,
    isolation: tierE.isolation,
    log: 'stdout',
    extra: served ? 3 : 1,
  });
}

/** Collects the result while it is written; the function returned waits for its end. */
function collect(stream: Readable | undefined): () => Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  if (stream === undefined) return () => Promise.resolve('');
  stream.on('data', (chunk: Buffer) => {
    if (bytes <= LARGEST_RESULT) chunks.push(chunk);
    bytes += chunk.length;
  });
  const ended = finished(stream, { writable: false }).catch(() => undefined);
  return async () => {
    await withinParting(ended);
    return Buffer.concat(chunks)
      .subarray(0, LARGEST_RESULT + 1)
      .toString('utf8');
  };
}

async function withinParting<T>(work: Promise<T>): Promise<T | null> {
  const timer = new AbortController();
  const late = sleep(PARTING_MS, null, { signal: timer.signal }).catch(() => null);
  return Promise.race([work, late]).finally(() => timer.abort());
}

/** The connection of evaluator and server, and what can be said of the server from it. */
class Bridge {
  /** Frames that the server has not answered yet; it owes one for each. */
  #owed = 0;
  #greeted = false;
  /** The evaluator said bye or closed its end: the server may leave. */
  #dismissed = false;
  #leftEarly = false;
  #startedLate = false;
  #startup: NodeJS.Timeout | null = null;

  constructor(
    readonly server: Served,
    toServer: Duplex,
    fromServer: Duplex,
    readonly startupS: number,
  ) {
    const asked = new FrameMeter(
      (type) => this.#asked(type),
      () => (this.#dismissed = true),
    );
    const answered = new FrameMeter(
      () => this.#answered(),
      () => (this.#leftEarly ||= !this.#dismissed),
    );
    // either side may leave in the middle; what that means is read from the fields above
    pipeline(toServer, asked, server.stdin).catch(() => undefined);
    pipeline(server.stdout, answered, fromServer).catch(() => undefined);
  }

  get owes(): boolean {
    return this.#owed > 0;
  }

  get leftEarly(): boolean {
    return this.#leftEarly;
  }

  get startedLate(): boolean {
    return this.#startedLate;
  }

  #asked(type: string): void {
    this.#owed += 1;
    if (type === 'bye') this.#dismissed = true;
    if (this.#greeted || this.#startup !== null) return;
    this.#startup = setTimeout(() => {
      this.#startedLate = true;
      void this.server.kill().catch(() => undefined);
    }, this.startupS * 1000);
  }

  #answered(): void {
    this.#owed = Math.max(0, this.#owed - 1);
    this.#greeted = true;
    this.close();
  }

  /** Waits a moment for a dismissed server to leave by itself, then ends it. */
  async part(): Promise<RunResult> {
    this.close();
    const left = await withinParting(this.server.done);
    if (left !== null) return left;
    await this.server.kill();
    return this.server.done;
  }

  close(): void {
    if (this.#startup !== null) clearTimeout(this.#startup);
  }
}

function judge(
  evaluatorRun: RunResult,
  rawResult: string,
  serverRun: RunResult | null,
  bridge: Bridge | null,
): Scored {
  const base = {
    evaluation: null,
    rawResult: rawResult.slice(0, LARGEST_RESULT),
    evaluatorRun,
    serverRun,
    late: false,
  };
  const { ending } = evaluatorRun;
  if (ending.kind === 'cancelled') return { ...base, blame: 'none', reason: 'cancelled' };
  if (bridge?.startedLate === true) {
    const reason = `late: the server did not answer within its ${bridge.startupS} s to start`;
    return { ...base, blame: 'recipe', late: true, reason };
  }
  if (bridge?.leftEarly === true && serverRun !== null) {
    const late = serverRun.ending.kind === 'limit' && serverRun.ending.limit === 'wall';
    return {
      ...base,
      blame: 'recipe',
      late,
      reason: `the server ended early: ${describeEnding(serverRun.ending)}`,
    };
  }
  if (ending.kind === 'limit' && ending.limit === 'wall' && bridge?.owes === true) {
    const reason = `late: the server owed an answer when the ${ending.allowed} s of the evaluation were over`;
    return { ...base, blame: 'recipe', late: true, reason };
  }
  if (ending.kind !== 'exited' || ending.code !== 0) {
    return { ...base, blame: 'evaluator', reason: `the evaluator ${describeEnding(ending)}` };
  }
  const read = readEvaluation(rawResult);
  if ('fault' in read) return { ...base, blame: 'evaluator', reason: read.fault };
  return { ...base, evaluation: read.evaluation, blame: 'none', reason: '' };
}

function readEvaluation(text: string): { evaluation: Evaluation } | { fault: string } {
  if (text.trim() === '') return { fault: 'the evaluator wrote no result' };
  if (text.length > LARGEST_RESULT)
    return { fault: `the evaluator's result is longer than ${LARGEST_RESULT} bytes` };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { fault: `the evaluator's result is not one JSON object: ${messageOf(error)}` };
  }
  const parsed = evaluationSchema.safeParse(value);
  if (parsed.success) return { evaluation: parsed.data };
  return { fault: `the evaluator's result is not assay.evaluation/1: ${z.prettifyError(parsed.error)}` };
}
