import { AssayError } from '../domain/errors.js';
import type { WorkMonitor } from '../domain/trial/doing.js';
import type { RunHost } from './host-context.js';

/** Slots or accelerators of this host that some work needs, and the work in words. */
export interface LeaseOf extends Pick<WorkMonitor, 'signal'> {
  slots: number;
  /** Accelerators; where there are any, they are the slots. */
  gpus: number;
  what: string;
  /** Refuse with NO_FREE_SLOTS instead of waiting. */
  atOnce?: boolean;
  onWait?: (reason: string) => void;
}

/**
 * Runs `fn` on a lease, with a context whose runs may use the lease's accelerators. Work that has a lease already keeps
 * it.
 * @throws AssayError HOST_FAULT where this host does not have that many
 */
export async function onLease<Host extends RunHost, T>(
  context: Host,
  { slots, gpus, what, signal, atOnce = false, onWait = () => undefined }: LeaseOf,
  fn: (context: Host) => Promise<T>,
): Promise<T> {
  if (gpus === 0) return context.leases.withLease({ slots, signal, atOnce, onWait }, () => fn(context));
  if (context.granted !== null) return fn(context);
  if (context.devices === null)
    throw new AssayError(
      'HOST_FAULT',
      `${what} needs ${gpus} accelerators, and ${context.host.name} has none`,
      {
        remedy:
          'Start a worker of this pool on a host with accelerators; `assay devices` lists those that workers have.',
      },
    );
  return context.devices.withLease({ slots: gpus, signal, atOnce, onWait, what }, (lease) =>
    fn({ ...context, granted: lease, sandbox: lease.watched(context.sandbox) }),
  );
}

/** Runs `fn` on a lease of accelerators, or at once where the work needs none. */
export const onDevices = <Host extends RunHost, T>(
  context: Host,
  of: Omit<LeaseOf, 'slots'>,
  fn: (context: Host) => Promise<T>,
): Promise<T> => (of.gpus === 0 ? fn(context) : onLease(context, { ...of, slots: of.gpus }, fn));
