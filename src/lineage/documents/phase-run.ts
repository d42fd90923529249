import { z } from 'zod';
import { deviceUseSchema } from '../../domain/devices/device-use.js';
import { isolationSchema } from '../../domain/task/isolation.js';
import { finite } from '../../domain/trial/evaluation.js';
import { digest } from './snapshot.js';

export const phaseRun = z.object({
  phase: z.string(),
  /** Time by the host's clock. */
  startedAt: z.date(),
  wallMs: z.number(),
  peakRssBytes: z.number(),
  log: digest,
  logBytes: z.number(),
  isolation: isolationSchema,
  /** Trial that ran it, if its result was reused. */
  reusedFrom: z.number().int().nullable().default(null),
  /** Wall time of the start's training beside this one, on the same lease; null where times are not compared. */
  startMs: z.number().positive().nullable().default(null),
  /** Number of the process among those of its measurement; null for a phase that is one process. */
  process: z.number().int().nonnegative().nullable().default(null),
  /** Milliseconds until it was ready, before its wall time; null where its clock started with it. */
  warmupMs: z.number().nullable().default(null),
  /** Time from when it said that it has trained, and saw the revealed inputs, to its end; null where it never did. */
  revealMs: z.number().nullable().default(null),
  /** Load of the host beside it and beside the start, where times are compared; null otherwise. */
  pair: z
    .object({
      /** The one of the two that was measured first. */
      first: z.enum(['start', 'candidate']),
      /** Other work of assay on the host, in the mean over the run; null if unknown. */
      others: finite.nullable(),
      startOthers: finite.nullable(),
      /** Speed of the host while the start was measured. */
      startSpeed: finite.nullable(),
      /** Host that both are measured on; null in runs from before it was noted. */
      host: z.string().nullable().default(null),
    })
    .nullable()
    .default(null),
  /** Seconds that the phase may take; null where only its wall limit counts. */
  budgetS: z.number().positive().nullable(),
  /** Share of their runnable time in which its processes had a core; null if unknown. */
  hostSpeed: finite.nullable(),
  /** Usual speed on this host; null unless it was asked for, since the run may have been slow. */
  usualSpeed: finite.nullable(),
  /** Milliseconds of a processor that its processes were seen to use; null if unknown. */
  cpuMs: finite.nullable().default(null),
  /** Runnable processes for each processor of the host, averaged over the minute before its end; null if unknown. */
  load: finite.nullable().default(null),
  /**
   * True when it overran its budget on a host that was slower than usual, and the phase was run once more.
   */
  repeated: z.boolean(),
  /** Observations of its accelerators. */
  devices: z.array(deviceUseSchema).default([]),
});
export type PhaseRun = z.infer<typeof phaseRun>;

export const progressPoint = z.object({ share: finite, value: finite });

export const sealedBytes = z.number().int().nonnegative();
