/** A process on a device. */
export interface DeviceHolder {
  /** Null where the driver does not say which. */
  pid: number | null;
  /** 0 where the driver does not say how much. */
  bytes: number;
}

/** An accelerator at one moment; null is what its driver does not say. */
export interface DeviceState {
  uuid: string;
  usedBytes: number;
  totalBytes: number;
  holders: readonly DeviceHolder[];
  /** Share of the last moment in which it computed, 0 … 1. */
  utilisation: number | null;
  /** Clock of its processors in MHz. */
  clockMhz: number | null;
  /** Reasons why the hardware slows it down now: heat, or power that does not suffice. */
  throttled: readonly string[];
  /** Errors of its memory that could not be corrected, since the driver was loaded. */
  uncorrected: number | null;
}

/** Share of a device's memory that its driver may keep for itself while nothing runs. */
const DRIVERS_SHARE = 0.02;

/** Returns the reason why nothing may be started on a device now; null for one that is free and well. */
export function unfitBecause(state: DeviceState | undefined, expectedErrors: number): string | null {
  if (state === undefined) return 'it is lost: its driver does not list it any more';
  const errors = (state.uncorrected ?? 0) - expectedErrors;
  if (errors > 0) return `its memory had ${errors} new errors that could not be corrected`;
  return busyBecause(state);
}

/** Returns in words who or what holds memory of a device; null while nothing does. */
export function busyBecause({ holders, usedBytes, totalBytes }: DeviceState): string | null {
  if (holders.length > 0) {
    const names = holders.map(({ pid }) => (pid === null ? 'an unnamed process' : `process ${pid}`));
    return `on it ${names.length === 1 ? 'is' : 'are'} ${names.join(', ')}`;
  }
  return usedBytes > totalBytes * DRIVERS_SHARE
    ? `${usedBytes} of its ${totalBytes} bytes are in use, by no process that its driver names`
    : null;
}
