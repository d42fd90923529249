const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Conduct towards a group as this process exits; neither may wait for anything. */
interface AtExit {
  /** Returns true when others use it, so that it is left running. */
  spared?: () => boolean;
  /** Called after it was killed. */
  killed?: () => void;
}

const groups = new Map<number, AtExit>();

/**
 * Kills a server or an installer when this process ends without having let go of it: servers lose nothing that they
 * acknowledged. Signals are left to other listeners (a command that stops its servers properly);
 * without any, it passes them on and dies of them.
 */
export function killGroupOnExit(group: number, atExit: AtExit = {}): void {
  if (groups.size === 0) {
    process.on('exit', endAll);
    for (const signal of SIGNALS) process.on(signal, onSignal);
  }
  groups.set(group, atExit);
}

/** Releases a server that was stopped, or that this process does not use any more. */
export function releaseGroup(group: number): void {
  if (!groups.delete(group) || groups.size > 0) return;
  process.off('exit', endAll);
  for (const signal of SIGNALS) process.off(signal, onSignal);
}

function endAll(): void {
  const ending = [...groups].filter(([, { spared }]) => spared?.() !== true);
  for (const [group] of ending) signalGroup(group, 'SIGKILL');
  for (const [, { killed }] of ending) killed?.();
}

function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  endAll();
  process.off(signal, onSignal);
  process.kill(process.pid, signal);
}

/** Signals all processes of a group; one that is gone already is no error. */
export function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // gone already: the caller looks at who is alive
  }
}
