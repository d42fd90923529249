import { z } from 'zod';
import { START } from '../keys.js';

/** `off`: a conversation sees no outcome of a trial that it did not submit itself. */
export const LINEAGE_MODES = ['on', 'off'] as const;
export const lineageModeSchema = z.enum(LINEAGE_MODES);
export type LineageMode = z.infer<typeof lineageModeSchema>;

/** Returns true where a conversation may see the trial; the start recipe is nobody's, and everybody sees it. */
export function maySee(
  mode: LineageMode,
  session: string,
  trial: { number: number; session: string | null },
): boolean {
  return mode === 'on' || trial.number === START || trial.session === session;
}
