/** What a worker process may be. */
export const ROLES = ['orchestrator', 'model', 'trainer', 'evaluator'] as const;
export type Role = (typeof ROLES)[number];
