import { type Duplex, type Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { AssayError } from '../../domain/errors.js';
import type { Evaluation } from '../../domain/trial/evaluation.js';
import { describeEnding } from '../describe-ending.js';
import { relay } from './frames.js';
import { FirstBytes } from '../process/kept-bytes.js';
import type { RunRequest, RunResult, Sandbox, Served } from '../run.js';
import { LARGEST_RESULT, readEvaluation } from './evaluation-result.js';
import { limited, withLockedMemory } from '../process/shell.js';
import { supervise, type Supervision } from '../process/supervise.js';
import { deviceVariables, heldWithDevices } from '../tiers/device-access.js';
import { tierE } from '../tiers/tier-e.js';

/** A server of the recipe; `startupS`: seconds until it has to have answered its first frame. */
type ServerRequest = RunRequest & { startupS: number };

export interface ScoreRequest {
  /** The recipe's server, run in the sandbox; null for direct scoring. Let its wall limit exceed the evaluator's. */
  server: ServerRequest | null;
  /** Request of a second server in folders of its own, where the evaluator compares two servers. */
  twin?: ServerRequest | null;
  /** The task's own program: trusted, so a process group with limits and a clean environment. */
  evaluator: RunRequest;
}

/** Result of a scoring. */
export interface Scored {
  /** The evaluator's answer, if it is usable. A `failure` in it is the recipe's, with blame `none`. */
  evaluation: Evaluation | null;
  /** Notes on parts of the answer that were ignored or cut, a line each; the evaluator's log has them as well. */
  notes: string[];
  /** The text on the result descriptor, its first MiB. */
  rawResult: string;
  evaluatorRun: RunResult;
  serverRun: RunResult | null;
  /** From the evaluator's start to the server's first answer; null when there was none. */
  greetedMs: number | null;
  /** Time for which the first server owed an answer, from a whole request to a whole answer, hello and bye apart; null
   * without a server. */
  owedMs: number | null;
  /** Null without a twin, and when it was not needed any more. */
  twinRun: RunResult | null;
  /** The one of `serverRun` and `twinRun` that is to blame; null where neither is. */
  blamedRun: RunResult | null;
  /** recipe: its server crashed, left or was late; evaluator: it gave no usable answer though it could have. */
  blame: 'none' | 'recipe' | 'evaluator';
  /** With blame `recipe`: whether it was out of time rather than broken. */
  late: boolean;
  /** In words; empty with blame `none`, `cancelled` when it was. */
  reason: string;
}

/** Time that a server has to exit after it was dismissed, and a pipe to end after its process. */
const PARTING_MS = 1000;

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

async function withinParting<T>(work: Promise<T>): Promise<T | null> {
  const timer = new AbortController();
  const late = sleep(PARTING_MS, null, { signal: timer.signal }).catch(() => null);
  return Promise.race([work, late]).finally(() => timer.abort());
}

/** The connection of evaluator and server, and what can be said of the server from it. */
class Bridge {
  /** Frames that the server has not answered yet; it owes one for each. */
  #owed = 0;
  #owedSince: number | null = null;
  owedMs = 0;
  #greeted = false;
  greetedMs: number | null = null;
  readonly #began = performance.now();
  /** The evaluator said bye or closed its end: the server may leave. */
  #dismissed = false;
  /** It answered everything, bye as well. */
  #parted = false;
  #leftEarly = false;
  #startedLate = false;
  #startup: NodeJS.Timeout | null = null;
  #dismiss: () => void = () => undefined;
  /** Settles when nothing more is asked of the server. */
  readonly dismissed = new Promise<void>((resolve) => (this.#dismiss = resolve));

  static over(server: Served, pipes: readonly Duplex[], request: ServerRequest | null): Bridge {
    const [to, from] = pipes;
    if (to === undefined || from === undefined || request === null)
      throw new AssayError('INTERNAL', 'an evaluator was started without pipes to its server');
    return new Bridge(server, to, from, request.startupS);
  }

  private constructor(
    readonly server: Served,
    toServer: Duplex,
    fromServer: Duplex,
    readonly startupS: number,
  ) {
    relay(toServer, server.stdin, {
      onFrame: (type) => this.#asked(type),
      onEnd: () => {
        this.#dismissed = true;
        this.#dismiss();
      },
    });
    // what it means that a side left in the middle is read from the fields above
    relay(server.stdout, fromServer, {
      onFrame: () => this.#answered(),
      onEnd: () => (this.#leftEarly ||= !this.#dismissed),
    });
  }

  get owes(): boolean {
    return this.#owed > 0;
  }

  get leftEarly(): boolean {
    return this.#leftEarly;
  }

  get parted(): boolean {
    return this.#parted;
  }

  get startedLate(): boolean {
    return this.#startedLate;
  }

  #asked(type: string): void {
    this.#owed += 1;
    if (type === 'bye') this.#dismissed = true;
    else if (this.#greeted) this.#owedSince ??= performance.now();
    if (this.#greeted || this.#startup !== null) return;
    this.#startup = setTimeout(() => {
      this.#startedLate = true;
      void this.server.kill().catch(() => undefined);
    }, this.startupS * 1000);
  }

  #answered(): void {
    this.#owed = Math.max(0, this.#owed - 1);
    if (this.#owed === 0) this.#settle();
    this.#greeted = true;
    this.greetedMs ??= performance.now() - this.#began;
    this.#stopClock();
    if (!this.#dismissed || this.#owed > 0) return;
    this.#parted = true;
    this.#dismiss();
  }

  /** Waits a moment for a dismissed server to leave by itself, then ends it. */
  async part(): Promise<RunResult> {
    this.close();
    const left = await withinParting(this.server.done);
    if (left !== null) return left;
    await this.server.kill();
    return this.server.done;
  }

  /** Counts the time for which answers were owed until now. */
  #settle(): void {
    if (this.#owedSince !== null) this.owedMs += performance.now() - this.#owedSince;
    this.#owedSince = null;
  }

  /** Nothing more is asked. Answers that were no frames, or came unasked, leave it owing until now. */
  close(): void {
    this.#settle();
    this.#stopClock();
    this.#dismiss();
  }

  #stopClock(): void {
    if (this.#startup !== null) clearTimeout(this.#startup);
  }
}

/** The second of two servers, which lives only after the first. */
class Successor {
  /** Settles when it is dead, or when it is known that it will not live; rejects when the sandbox itself failed. */
  readonly over: Promise<void>;
  #bridge: Bridge | null = null;
  #unwanted = false;

  constructor(
    readonly sandbox: Sandbox,
    readonly request: ServerRequest,
    first: Bridge,
    readonly pipes: readonly Duplex[],
  ) {
    // execa discards unread output, unless the stream was paused
    pipes[0]?.pause();
    this.over = this.#follow(first);
    this.over.catch(() => undefined);
  }

  async #follow(first: Bridge): Promise<void> {
    await first.dismissed;
    await first.part();
    if (!first.parted || !this.#wanted()) return;
    const server = await this.sandbox.serve(this.request);
    this.#bridge = Bridge.over(server, this.pipes, this.request);
    // what was given up while it started
    await (this.#wanted() ? server.done : server.kill());
  }

  #wanted(): boolean {
    return !this.#unwanted;
  }

  /** Its bridge, if it came to live; it does not start after this. */
  end(): Bridge | null {
    this.#unwanted = true;
    return this.#bridge;
  }

  async kill(): Promise<void> {
    this.#unwanted = true;
    this.#bridge?.close();
    await this.#bridge?.server.kill();
    await this.over;
  }
}

/** A server, as the evaluator and the system saw it. */
interface Side {
  bridge: Bridge;
  run: RunResult;
}

function judge(evaluatorRun: RunResult, rawResult: string, sides: readonly Side[]): Scored {
  const [server, twin] = sides;
  const base = {
    evaluation: null,
    notes: [],
    rawResult: rawResult.slice(0, LARGEST_RESULT),
    evaluatorRun,
    serverRun: server?.run ?? null,
    greetedMs: server?.bridge.greetedMs ?? null,
    owedMs: server?.bridge.owedMs ?? null,
    twinRun: twin?.run ?? null,
    blamedRun: null,
    late: false,
  };
  const { ending } = evaluatorRun;
  if (ending.kind === 'cancelled') return { ...base, blame: 'none', reason: 'cancelled' };
  for (const side of sides) {
    const fault = faultOf(side, ending);
    if (fault !== null) return { ...base, ...fault, blame: 'recipe', blamedRun: side.run };
  }
  if (ending.kind !== 'exited' || ending.code !== 0) {
    return { ...base, blame: 'evaluator', reason: `the evaluator ${describeEnding(ending)}` };
  }
  const read = readEvaluation(rawResult);
  if ('fault' in read) return { ...base, blame: 'evaluator', reason: read.fault };
  const told = { ...evaluatorRun, log: withNotes(evaluatorRun.log, read.notes) };
  const { evaluation, notes } = read;
  return { ...base, evaluatorRun: told, evaluation, notes, blame: 'none', reason: '' };
}

/** Adds what assay has to say of an answer, for whoever reads the evaluator's log. */
function withNotes(log: string, notes: readonly string[]): string {
  if (notes.length === 0) return log;
  const said = log === '' || log.endsWith('\n') ? log : `${log}\n`;
  return `${said}${notes.map((note) => `assay: ${note}\n`).join('')}`;
}

/** Finds the fault of a server from the way it ended, or from its silence. */
function faultOf(
  { bridge, run }: Side,
  ending: RunResult['ending'],
): { reason: string; late: boolean } | null {
  if (bridge.startedLate) {
    const reason = `late: the server did not answer within its ${bridge.startupS} s to start`;
    return { reason, late: true };
  }
  if (bridge.leftEarly) {
    const late = run.ending.kind === 'limit' && run.ending.limit === 'wall';
    // with which code it left is its own choice, and would tell agents what it has seen
    return { reason: `the server ended early: ${earlyEnd(run.ending)}`, late };
  }
  if (ending.kind === 'limit' && ending.limit === 'wall' && bridge.owes) {
    const reason = `late: the server owed an answer when the ${ending.allowed} s of the evaluation were over`;
    return { reason, late: true };
  }
  return null;
}

const earlyEnd = (ending: RunResult['ending']): string =>
  ending.kind === 'exited' || ending.kind === 'signalled' ? 'it left' : describeEnding(ending);
