/** What a worker process may be. */
export const ROLES = ['orchestrator', 'model', 'trainer', 'evaluator'] as const;
export type Role = (typeof ROLES)[number];

/** How long work in flight goes on when its worker ends, in milliseconds; then it is cancelled. */
export const GRACE_MS = 8000;
