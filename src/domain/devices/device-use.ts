import { z } from 'zod';
import type { Device } from './device.js';
import type { DeviceState } from './device-state.js';

/** Points that are kept of a run's curve, so that a long run costs no more than a short one. */
export const SAMPLES_KEPT = 60;

const sampleSchema = z.object({
  /** Seconds since the run began. */
  s: z.number().nonnegative(),
  /** 0 … 1. */
  utilisation: z.number().nullable(),
  memoryBytes: z.number().nonnegative(),
  clockMhz: z.number().nullable(),
});
type Sample = z.infer<typeof sampleSchema>;

/** Observations of one device while a run had it. */
export const deviceUseSchema = z.object({
  uuid: z.string(),
  name: z.string(),
  peakMemoryBytes: z.number().nonnegative(),
  /** Mean over the run, 0 … 1; null where the driver does not say. */
  utilisation: z.number().nullable(),
  /** Least and mean clock in MHz; null where the driver does not say. */
  clockMhz: z.object({ least: z.number(), mean: z.number() }).nullable(),
  /** Reasons why its hardware slowed it down at some moment of the run. */
  throttled: z.array(z.string()),
  /** Those of its timed part, which a warm-up precedes. */
  throttledInTime: z.array(z.string()).default([]),
  /** At most 60 points of the run. */
  samples: z.array(sampleSchema),
});
export type DeviceUse = z.infer<typeof deviceUseSchema>;

/** Collects what is seen of a device during a run, in bounded memory: every point counts, every k-th is kept. */
export class UseRecorder {
  readonly #throttled = new Set<string>();
  readonly #throttledInTime = new Set<string>();
  #samples: Sample[] = [];
  #seen = 0;
  #keepEvery = 1;
  #peak = 0;
  #utilisation = { sum: 0, count: 0 };
  #clock = { sum: 0, count: 0, least: Infinity };

  constructor(private readonly device: Pick<Device, 'uuid' | 'name'>) {}

  /** Takes in a look at the device, `s` seconds after the run began; `inTime` where its time counted by then. */
  see(s: number, { utilisation, usedBytes, clockMhz, throttled }: DeviceState, inTime = true): void {
    for (const reason of throttled) {
      this.#throttled.add(reason);
      if (inTime) this.#throttledInTime.add(reason);
    }
    this.#peak = Math.max(this.#peak, usedBytes);
    if (utilisation !== null) this.#utilisation = added(this.#utilisation, utilisation);
    if (clockMhz !== null)
      this.#clock = { ...added(this.#clock, clockMhz), least: Math.min(this.#clock.least, clockMhz) };
    if (this.#seen % this.#keepEvery === 0)
      this.#samples.push({ s: Number(s.toFixed(1)), utilisation, memoryBytes: usedBytes, clockMhz });
    this.#seen += 1;
    if (this.#samples.length <= SAMPLES_KEPT) return;
    this.#keepEvery *= 2;
    this.#samples = this.#samples.filter((_, index) => index % 2 === 0);
  }

  use(): DeviceUse {
    const { count, sum, least } = this.#clock;
    return {
      uuid: this.device.uuid,
      name: this.device.name,
      peakMemoryBytes: this.#peak,
      utilisation: mean(this.#utilisation),
      clockMhz: count === 0 ? null : { least, mean: Math.round(sum / count) },
      throttled: [...this.#throttled].sort(),
      throttledInTime: [...this.#throttledInTime].sort(),
      samples: this.#samples,
    };
  }
}

interface Sum {
  sum: number;
  count: number;
}

const added = ({ sum, count }: Sum, value: number): Sum => ({ sum: sum + value, count: count + 1 });
const mean = ({ sum, count }: Sum): number | null => (count === 0 ? null : Number((sum / count).toFixed(3)));
