/** Roles of a worker process. */
export const ROLES = ['orchestrator', 'model', 'trainer', 'evaluator'] as const;
export type Role = (typeof ROLES)[number];

/** Milliseconds for which work in flight continues when its worker ends; then it is cancelled. */
export const GRACE_MS = 8000;
