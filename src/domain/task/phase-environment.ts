import { DEFAULT_PROFILE } from './profiles.js';
import type { Task } from './task.js';

/** Variables of the task itself that its preparation, and every phase of a recipe, are given. */
export function recipeEnvironment({ env, profile }: Pick<Task, 'env' | 'profile'>): Record<string, string> {
  return { ...env, ASSAY_PROFILE: profile ?? DEFAULT_PROFILE };
}

/** Variables of a phase that says of its data that it makes them up. */
export const syntheticEnvironment = ({ data }: { data?: 'synthetic' | undefined }): Record<string, string> =>
  data === undefined ? {} : { ASSAY_SYNTHETIC: '1' };

/** Variables of the task itself that its evaluator is given: none of the recipe's. */
export function evaluatorEnvironment({
  evaluate,
  profile,
}: Pick<Task, 'evaluate' | 'profile'>): Record<string, string> {
  return { ...evaluate.env, ASSAY_PROFILE: profile ?? DEFAULT_PROFILE };
}
