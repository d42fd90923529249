/** The one terminal status of a trial, set exactly once. */
export const TRIAL_STATUSES = [
  'keep',
  'discard',
  'disqualified',
  'size_blocked',
  'train_budget_overrun',
  'eval_budget_overrun',
  'preflight_crash',
  'crash',
  'duplicate',
  'violation',
  'cancelled',
] as const;
