import { z } from 'zod';

/** Name of a task, a gate, a pool or a specialist. */
export const taskName = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{0,47}$/,
    'lower-case letters, digits and dashes, starting with a letter, at most 48 of them',
  );

/** Path below a folder of the task. */
export const relative = z
  .string()
  .min(1)
  .refine(
    (path) => !path.startsWith('/') && !path.split('/').includes('..'),
    'a path inside the task folder',
  );

export const direction = z.enum(['minimize', 'maximize']);

/** Wall time of at most a week. */
export const seconds = z
  .number()
  .positive()
  .max(7 * 86_400);
