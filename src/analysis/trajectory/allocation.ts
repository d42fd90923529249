import { effectiveCount } from '../proposals/entropy.js';
import { groupBy, type TrajectoryTrial } from './trajectory.js';

export interface Allocation {
  roles: { role: string; trials: number; share: number; keeps: number }[];
  /** exp(H) of the shares: the number of equal roles that would be as spread. */
  effectiveRoles: number;
  /** Entropy of the shares over that of equal shares; 1 for a single role. */
  balance: number;
}

/** Distribution of the trials over the roles. */
export function allocation(trials: readonly TrajectoryTrial[]): Allocation {
  const roles = [...groupBy(trials, ({ role }) => role)]
    .map(([role, own]) => ({
      role,
      trials: own.length,
      share: own.length / trials.length,
      keeps: own.filter(({ ending }) => ending === 'keep').length,
    }))
    .sort((a, b) => b.trials - a.trials || a.role.localeCompare(b.role));
  const effectiveRoles = effectiveCount(roles.map((role) => role.trials));
  const balance = roles.length < 2 ? 1 : Math.log(effectiveRoles) / Math.log(roles.length);
  return { roles, effectiveRoles, balance };
}
