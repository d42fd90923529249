import { z } from 'zod';
import { relative } from './fields.js';

export const countedSchema = z
  .union([
    z.array(relative),
    z.strictObject({
      files: z.array(relative).min(1).describe('globs of files that count'),
      as: z
        .enum(['raw', 'lzma-b85'])
        .default('raw')
        .describe(
          '`raw`: each file as it is; `lzma-b85`: as a Python program that unpacks itself, of LZMA2 in base 85, see "Sizes"',
        ),
      minified: z
        .boolean()
        .default(false)
        .describe('count Python as it is without comments and layout, where that is smaller, see "Sizes"'),
    }),
  ])
  .default([])
  .describe(
    'globs of files that count towards `code_bytes` and `bytes`, as a list or with the form that they are counted in; all that may be edited, where one of these matters',
  );
