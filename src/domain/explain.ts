import type { z } from 'zod';

/** The first thing that is wrong, in one line: `trials: expected a number`. */
export function explain(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return 'malformed';
  if (issue.code === 'unrecognized_keys')
    return `unknown field ${issue.keys.map((key) => `"${key}"`).join(', ')}`;
  const field = issue.path.join('.');
  return field === '' ? issue.message : `${field}: ${issue.message}`;
}
