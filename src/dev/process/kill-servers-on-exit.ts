const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const groups = new Map<number, () => void>();

/**
 * Kills a server or an installer that this process owns when the process ends without having stopped it: servers lose
 * nothing that they acknowledged. Signals are left to other listeners (a command that stops its servers properly);
 * without any, it passes them on and dies of them.
 * @param killed is called after it, and can only do what needs no waiting
 */
export function killGroupOnExit(group: number, killed: () => void = () => undefined): void {
  if (groups.size === 0) {
    process.on('exit', endAll);
    for (const signal of SIGNALS) process.on(signal, onSignal);
  }
  groups.set(group, killed);
}

/** Releases a server that was stopped or that another process owns now. */
export function releaseGroup(group: number): void {
  if (!groups.delete(group) || groups.size > 0) return;
  process.off('exit', endAll);
  for (const signal of SIGNALS) process.off(signal, onSignal);
}

function endAll(): void {
  for (const group of groups.keys()) signalGroup(group, 'SIGKILL');
  for (const killed of groups.values()) killed();
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
