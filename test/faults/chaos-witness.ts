import { readdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { startOfflineProposer } from '../../src/model/offline-proposer.js';
import { OFFLINE_MODEL } from '../../src/model/pricing.js';
import { markerOf } from '../../src/sandbox/process/process-table.js';

/** Model that no worker serves by itself, so that every request passes the gate and is counted. */
export const GATED_MODEL = 'offline-proposer-behind-a-gate';

/** The offline proposer behind a gate that outlives every worker and writes down each request that reaches it. */
export interface ModelGate {
  url: string;
  /** Times of the requests, in milliseconds of `Date.now`, by `CAMPAIGN/LANE/SESSION/TURN`. */
  requests: ReadonlyMap<string, readonly number[]>;
  stop(): Promise<void>;
}

const requestSchema = z.looseObject({
  messages: z.array(z.looseObject({ role: z.string(), content: z.unknown() })).min(1),
});

export async function openModelGate(): Promise<ModelGate> {
  const proposer = await startOfflineProposer();
  const requests = new Map<string, number[]>();
  const server = createServer((request, response) => {
    pass(proposer.url, requests, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = z.object({ port: z.number() }).parse(server.address());
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await proposer.stop();
    },
  };
}

async function pass(
  upstream: string,
  requests: Map<string, number[]>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = requestSchema.parse(JSON.parse(await text(request)));
  const session = /Session (\S+)\./.exec(JSON.stringify(body.messages[0]))?.[1] ?? 'unknown';
  const turn = body.messages.filter(({ role }) => role === 'assistant').length;
  const key = `${session}/${turn}`;
  requests.set(key, [...(requests.get(key) ?? []), Date.now()]);
  const answer = await fetch(`${upstream}${request.url ?? ''}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, model: OFFLINE_MODEL }),
  });
  const type = answer.headers.get('content-type') ?? 'application/json';
  response.writeHead(answer.status, { 'content-type': type });
  if (answer.body === null) response.end();
  else await pipeline(Readable.fromWeb(answer.body), response);
}

/** A process of a phase, as the host's process table showed it. */
export interface SeenRun {
  /** `PID-START` of the worker that started it. */
  worker: string;
  replicate: string;
  fence: number;
  phase: string;
  /** Time at which it was first seen, in milliseconds of `Date.now`. */
  at: number;
}

const RUN = /^(\d+-\d+)\/(.+)\/(\d+)\/(train|pack|serve|evaluate)(?:-\w+)?$/;
const LOOK_EVERY_MS = 40;
/** A new process carries the environment of its parent until it runs its own program. */
const YOUNG_LOOKS = 25;

/** Watches the process table for phases that run. It asks neither the store nor the server. */
export class ProcessWitness {
  readonly runs = new Map<string, SeenRun>();
  readonly #looks = new Map<number, number>();
  readonly #timer = setInterval(() => this.#look(), LOOK_EVERY_MS);

  #look(): void {
    const living = processes();
    for (const pid of this.#looks.keys()) if (!living.has(pid)) this.#looks.delete(pid);
    for (const pid of living) {
      const looks = this.#looks.get(pid) ?? 0;
      if (looks >= YOUNG_LOOKS) continue;
      this.#looks.set(pid, looks + 1);
      const run = markerOf(pid);
      if (run === null) continue;
      this.#looks.set(pid, YOUNG_LOOKS);
      const [, worker, replicate, fence, phase] = RUN.exec(run) ?? [];
      if (worker === undefined || replicate === undefined || phase === undefined || this.runs.has(run))
        continue;
      this.runs.set(run, { worker, replicate, fence: Number(fence), phase, at: Date.now() });
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function processes(): Set<number> {
  return new Set(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number),
  );
}

/** Living processes whose ASSAY_RUN belongs to one of these workers or is one of these marks. */
export function survivors(workers: readonly string[], marks: readonly string[]): string[] {
  return [...processes()].flatMap((pid) => {
    const run = markerOf(pid);
    if (run === null) return [];
    const ours = marks.includes(run) || workers.some((worker) => run.startsWith(`${worker}/`));
    return ours ? [`process ${pid} of ${run}`] : [];
  });
}
