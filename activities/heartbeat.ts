import { Context } from '@temporalio/activity';
import type { WorkMonitor } from '../src/domain/trial/doing.js';

/** Heartbeats while `work` runs, often enough that a cancel arrives within seconds. */
export async function withHeartbeat<T>(
  details: () => unknown,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  const beat = (): void => context.heartbeat(details());
  beat();
  const timer = setInterval(beat, 1000);
  try {
    return await work(context.cancellationSignal);
  } finally {
    clearInterval(timer);
  }
}

/** Heartbeats while `work` runs, with what is being done now, for those who ask why nothing moves. */
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
    context.heartbeat();
    const answer = await ask();
    if (answer !== null) return answer;
    await context.sleep(everyMs);
  }
}
