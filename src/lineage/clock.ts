import type { Clock } from '../domain/campaign/clock.js';

/** Clocks of this machine and this process. */
export const systemClock: Clock = {
  wall: () => new Date(),
  monotonicMs: () => performance.now(),
};
