import { z } from 'zod';
import { isPythonRange } from '../python-range.js';
import { relative } from './fields.js';

const wheel = z.strictObject({
  url: z
    .string()
    .regex(/^(https:\/\/|file:\/\/\/|\/).*\.whl$/, 'an https address, or an absolute path, that ends in .whl')
    .describe('https address of a wheel, or the absolute path of one that every host has'),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits')
    .describe('SHA-256 of the wheel'),
});
/** A wheel that the package index does not have. */
export type Wheel = z.infer<typeof wheel>;

/** Fields of a task about the Python of its programs. */
export const pythonFields = {
  python: z
    .string()
    .refine(isPythonRange, 'a range of versions such as ">=3.12" or ">=3.10,<3.14"')
    .optional()
    .describe(
      'range of versions that the Python of all programs has to be in, see "Which Python"; by default the active one is used',
    ),
  requirements: relative
    .optional()
    .describe('requirements file with exact versions, for a private Python environment, see "Which Python"'),
  wheels: z
    .array(wheel)
    .max(32)
    .optional()
    .describe(
      'wheels that the package index does not have, installed after `requirements` and without what they depend on',
    ),
};
