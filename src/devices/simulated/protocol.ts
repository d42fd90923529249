import { z } from 'zod';

/** Faults that a simulated device can be given. */
export const FAULTS = ['lost', 'leak', 'throttle', 'memory_errors'] as const;
export const faultSchema = z.enum(FAULTS);
export type Fault = z.infer<typeof faultSchema>;

/** A connection to a simulated device, as its log keeps it; times are milliseconds of one clock of the daemon. */
export const connectionSchema = z.object({
  uuid: z.string(),
  /** Name that the process gave: its run, where it is one of assay's. */
  who: z.string(),
  from: z.number(),
  /** Null while it lasts. */
  to: z.number().nullable(),
});
export type Connection = z.infer<typeof connectionSchema>;

export const simulatedStateSchema = z.object({
  uuid: z.string(),
  index: z.number().int(),
  name: z.string(),
  usedBytes: z.number(),
  totalBytes: z.number(),
  connections: z.number().int(),
  faults: z.array(faultSchema),
  errors: z.number().int(),
});
export type SimulatedState = z.infer<typeof simulatedStateSchema>;

/** Answer of the daemon to a line on its control socket. */
export const stateAnswerSchema = z.object({ devices: z.array(simulatedStateSchema) });

/** Files of a daemon's folder. */
export const CONTROL_SOCKET = 'control.sock';
export const deviceSocket = (index: number): string => `device-${index}.sock`;
