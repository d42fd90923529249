/** Facts about a host while a run was on it; null where the system does not tell. */
export interface HostUse {
  /** Share of their runnable time in which the run's processes had a processor, 0 … 1. */
  hostSpeed: number | null;
  /** Usual value of `hostSpeed` on that host; null unless it was asked for. */
  usualSpeed: number | null;
  /** Seconds of a processor that the run's processes were seen to use. */
  cpuS: number | null;
  /** Runnable processes for each processor of the host, averaged over the minute before the run's end. */
  load: number | null;
}

/** Below this part of its usual speed a host counts as slow. */
const SLOW = 0.9;

/** The usual speed of a host: the median of what was measured of it, full speed where nothing was. */
export function usualSpeed(speeds: readonly number[]): number {
  const sorted = [...speeds].sort((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return low === undefined || high === undefined ? 1 : (low + high) / 2;
}

/**
 * Returns true when a host was slower than usual; an unknown speed is evidence of nothing, and an unknown usual speed
 * counts as full speed.
 */
export const isSlow = ({
  hostSpeed,
  usualSpeed: usual,
}: Pick<HostUse, 'hostSpeed' | 'usualSpeed'>): boolean =>
  hostSpeed !== null && hostSpeed < SLOW * (usual ?? 1);

/**
 * Returns true when a speed can be slow at all, so that the usual one is worth asking for: that is at most 1.
 */
export const mayBeSlow = (speed: number | null): boolean => isSlow({ hostSpeed: speed, usualSpeed: 1 });

/** `the host at 0.62 of its full speed (usually 0.97), load 7.2 a processor, 3.1 s of a processor used`. */
export function hostText({ hostSpeed, usualSpeed: usual, cpuS, load }: HostUse): string {
  return [
    `the host at ${speedText(hostSpeed)} of its full speed${usual === null ? '' : ` (usually ${speedText(usual)})`}`,
    ...(load === null ? [] : [`load ${Number(load.toPrecision(2))} a processor`]),
    ...(cpuS === null ? [] : [`${Number(cpuS.toPrecision(3))} s of a processor used`]),
  ].join(', ');
}

/** `0.62`, or `an unknown part`. */
export const speedText = (speed: number | null): string =>
  speed === null ? 'an unknown part' : speed.toFixed(2);
