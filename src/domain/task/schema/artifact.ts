import { z } from 'zod';
import { relative } from './fields.js';

/** Number types of declared files, as numpy names them, and `bf16`; all little-endian. */
export const DTYPES = ['f2', 'bf16', 'f4', 'f8', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8'] as const;
export type Dtype = (typeof DTYPES)[number];

const declared = z.strictObject({
  path: relative
    .refine((path) => !/[*?]/.test(path) && !path.endsWith('/'), 'the path of one file')
    .describe('path in the artifact'),
  dtype: z
    .enum(DTYPES)
    .describe('type of its numbers, little-endian, as numpy names it (`f4` is a 32-bit float), or `bf16`'),
  shape: z
    .array(z.number().int().positive())
    .min(1)
    .max(8)
    .refine((shape) => shape.reduce((all, one) => all * one, 8) <= Number.MAX_SAFE_INTEGER, 'too large')
    .describe('lengths of its dimensions, the slowest first'),
});
/** A file of numbers that an artifact has to have. */
export type DeclaredArray = z.infer<typeof declared>;

export const artifactSchema = z
  .array(z.union([relative, declared]))
  .max(64)
  .optional()
  .describe(
    'what an artifact must have: globs of files, and files of numbers by type and shape, whose size is exact and which hold neither NaN nor infinity. Without one of them the trial ends as a crash and the evaluator, which would fail on it, is not run; nor is it on an artifact without a file, where scoring is direct',
  );
