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

/** Variables on which it depends which Python, libraries and home a phase sees. */
const SANDBOX_VARIABLES: ReadonlySet<string> = new Set([
  'PATH',
  'HOME',
  'TMPDIR',
  'PYTHONPATH',
  'PYTHONHOME',
  'PYTHONUSERBASE',
  'PYTHONNOUSERSITE',
  'LD_PRELOAD',
  'CUDA_VISIBLE_DEVICES',
]);

/** Wall time of at most a week. */
export const seconds = z
  .number()
  .positive()
  .max(7 * 86_400);

/** Variables that a task sets; those of assay itself are not for it to say. */
export const environment = z.record(
  z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'letters, digits and underscores, not beginning with a digit')
    .refine((name) => !name.startsWith('ASSAY_'), 'assay itself sets the variables that begin with ASSAY_')
    .refine((name) => !SANDBOX_VARIABLES.has(name), 'assay sets this one for the Python of the task'),
  z.string().refine((value) => !value.includes('\0'), 'a text without NUL'),
);
