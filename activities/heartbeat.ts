import { Context } from '@temporalio/activity';
import { failuresBefore } from '../src/domain/failure-counts.js';
import type { WorkMonitor } from '../src/domain/trial/doing.js';

/** Heartbeats while `work` runs, often enough that a cancel arrives within seconds. */
export async function withHeartbeat<T>(
  doing: () => string | number | null,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  const beat = (): void => sendHeartbeat(doing());
  beat();
  const timer = setInterval(beat, 1000);
  try {
    return await work(context.cancellationSignal);
  } finally {
    clearInterval(timer);
  }
}

/** Heartbeats while `work` runs, with its current step, which people see when nothing moves. */
export async function withMonitor<T>(first: string, work: (monitor: WorkMonitor) => Promise<T>): Promise<T> {
  let doing = first;
  const tell = (now: string): void => {
    doing = now;
  };
  return withHeartbeat(
    () => doing,
    (signal) => work({ signal, tell }),
  );
}

/** Asks again every `everyMs` until there is an answer; ends with the activity's cancellation. */
export async function poll<T>(everyMs: number, ask: () => Promise<T | null>): Promise<T> {
  const context = Context.current();
  for (;;) {
    sendHeartbeat(null);
    const answer = await ask();
    if (answer !== null) return answer;
    await context.sleep(everyMs);
  }
}

/**
 * Sends a heartbeat that also carries the failures of earlier attempts, because the server keeps only the last one.
 */
function sendHeartbeat(doing: string | number | null): void {
  const { heartbeat, info } = Context.current();
  heartbeat({ doing, failures: failuresBefore(info.heartbeatDetails) });
}
