import { closeSync, readdirSync, readFileSync } from 'node:fs';

/** O_CLOEXEC of Linux, as /proc tells it. */
const CLOSES_ON_EXEC = 0o2000000;
/** Standard input, output and error. */
const STANDARD = 2;

/**
 * Closes what this process was started with beside its standard streams: whatever started it (a shell, a service) may
 * have left files or folders open, which every program that is started from here would have as well. What Node itself
 * opens is closed by the kernel when a program is started. To be called first; without /proc nothing is closed, nor
 * where another Node process talks with this one.
 */
export function closeInheritedDescriptors(): void {
  if (process.platform !== 'linux' || process.connected) return;
  for (const name of readdirSync('/proc/self/fd')) {
    const descriptor = Number(name);
    if (descriptor > STANDARD && isInherited(descriptor)) closeSync(descriptor);
  }
}

function isInherited(descriptor: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1'))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOSES_ON_EXEC) === 0;
  } catch {
    // the descriptor of the listing itself
    return false;
  }
}
