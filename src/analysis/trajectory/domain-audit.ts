import { counted, type EndingCounts } from './outcomes.js';
import type { TrajectoryTrial } from './trajectory.js';

/** Names under which tasks have their architecture. */
export const ARCHITECTURE: ReadonlySet<string> = new Set(['arch', 'architecture', 'model']);

export interface DomainAudit {
  trials: number;
  submissions: number;
  counts: EndingCounts;
}

/**
 * Counts the submitted trials whose role or edit domain is one of these, whatever became of them: a lower bound of the
 * edits to that part of a recipe (arXiv 2605.05724, section 4.1).
 */
export function domainAudit(
  trials: readonly TrajectoryTrial[],
  names: ReadonlySet<string> = ARCHITECTURE,
): DomainAudit {
  const own = trials.filter(({ role, domain }) => names.has(role) || (domain !== null && names.has(domain)));
  return { trials: trials.length, submissions: own.length, counts: counted(own) };
}
