import { z } from 'zod';

/** Lanes of one campaign that have the same prompt. */
const MOST_GENERIC = 64;

/** Proposers of a campaign: `specialists`, `single`, or `generic:N`. */
export const rolesSchema = z
  .string()
  .refine(
    (roles) => roles === 'specialists' || roles === 'single' || genericLanes(roles) !== null,
    `specialists, single, or generic:N with N from 1 to ${MOST_GENERIC}`,
  );

/** Number of lanes of `generic:N`; null for anything else. */
export function genericLanes(roles: string): number | null {
  const lanes = Number(/^generic:(\d{1,2})$/.exec(roles)?.[1] ?? NaN);
  return lanes >= 1 && lanes <= MOST_GENERIC ? lanes : null;
}

/** Roles that no task has to bring, with their prompts. */
export const BUILT_IN_ROLES: ReadonlyMap<string, string> = new Map([
  [
    'generic',
    'You work on the whole recipe, beside others with the same task. Choose what to change by what was measured and by what has not been tried.',
  ],
  [
    'generalist',
    'You work on the whole recipe, alone. Choose what to change by what was measured and by what has not been tried.',
  ],
]);
