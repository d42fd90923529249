import { z } from 'zod';

const enforcementSchema = z.enum(['enforced', 'advisory', 'none']);

/** From the strongest to the weakest. */
export const TIER_NAMES = ['A', 'B', 'C', 'D', 'E'] as const;
export const tierNameSchema = z.enum(TIER_NAMES);
export type TierName = z.infer<typeof tierNameSchema>;

/** Returns true when a tier holds less than the demanded one; nothing is weaker than no demand. */
export function isWeaker(tier: TierName, demanded: TierName | null): boolean {
  return demanded !== null && TIER_NAMES.indexOf(tier) > TIER_NAMES.indexOf(demanded);
}

/** Leakage past the outputs, from nothing to everything. */
export const CHANNELS = ['closed', 'bounded', 'open'] as const;

/** Isolation that really held a process of the recipe, tier A (strongest) to E (process group only). */
export const isolationSchema = z.object({
  tier: tierNameSchema,
  fs: enforcementSchema,
  net: enforcementSchema,
  pid: enforcementSchema,
  mem: enforcementSchema,
  pids: enforcementSchema,
  disk: enforcementSchema,
  /** Processors: bounded by the kernel, or a number that the run is told. */
  cpu: enforcementSchema,
  gpu: enforcementSchema,
  secrets: enforcementSchema,
  /**
   * Ways in which it could tell another run what it has seen, other than by its outputs. `closed`: it has a root, device
   * nodes, a user and a view of the kernel of its own; `bounded`: a root, but the worker's user and the host's device
   * nodes. docs/security.md lists what is left. It does not matter of a run that sees nothing held out.
   */
  channels: z.enum(CHANNELS),
});
export type Isolation = z.infer<typeof isolationSchema>;
