import { leaseSize } from '../domain/task/device-needs.js';
import { AssayError } from '../domain/errors.js';
import type { WorkMonitor } from '../domain/trial/doing.js';
import type { RunHost } from './host-context.js';

/** Slots or accelerators of this host that some work needs, and the work in words. */
export interface LeaseOf extends Pick<WorkMonitor, 'signal'> {
  slots: number;
  /** Accelerators; where there are any, they are the slots. */
  gpus: number;
  what: string;
  onWait?: (reason: string) => void;
}

/**
 * Runs `fn` on a lease, with a context whose runs may use the lease's accelerators. Work that has a lease already keeps
 * it; work that came from the queue of its size does not wait for one.
 * @throws AssayError HOST_FAULT where this host does not have that many, NO_FREE_SLOTS where it would have to wait
 */
export async function onLease<Host extends RunHost, T>(
  context: Host,
  { slots, gpus, what, signal, onWait = () => undefined }: LeaseOf,
  fn: (context: Host) => Promise<T>,
): Promise<T> {
  if (gpus > 0 && context.granted !== null) return fn(context);
  const { admitted } = context;
  const { atOnce } = admitted;
  admitted.wants(leaseSize({ slots, gpus }));
  const leased = async (): Promise<T> => {
    if (gpus === 0)
      return context.leases.withLease({ slots, signal, atOnce, onWait }, () => {
        admitted.leased();
        return fn(context);
      });
    if (context.devices === null) throw withoutDevices(context, what, gpus);
    return context.devices.withLease({ slots: gpus, signal, atOnce, onWait, what }, (lease) => {
      admitted.leased();
      return fn({ ...context, granted: lease, sandbox: lease.watched(context.sandbox) });
    });
  };
  return leased().finally(() => admitted.released());
}

const withoutDevices = ({ host }: RunHost, what: string, gpus: number): AssayError =>
  new AssayError('HOST_FAULT', `${what} needs ${gpus} accelerators, and ${host.name} has none`, {
    remedy:
      'Start a worker of this pool on a host with accelerators; `assay devices` lists those that workers have.',
  });

/** Runs `fn` on a lease of accelerators, or at once where the work needs none. */
export const onDevices = <Host extends RunHost, T>(
  context: Host,
  of: Omit<LeaseOf, 'slots'>,
  fn: (context: Host) => Promise<T>,
): Promise<T> => (of.gpus === 0 ? fn(context) : onLease(context, { ...of, slots: of.gpus }, fn));
