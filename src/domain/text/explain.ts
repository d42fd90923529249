import type { z } from 'zod';

/** The first thing that is wrong, in one line: `trials: expected a number`. */
export function explain(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return 'malformed';
  if (issue.code === 'unrecognized_keys')
    return `unknown field ${issue.keys.map((key) => `"${key}"`).join(', ')}`;
  const field = issue.path.join('.');
  const message = boundOf(issue) ?? issue.message;
  return field === '' ? message : `${field}: ${message}`;
}

/** The bound that a number has crossed; null for other faults. */
function boundOf(issue: z.core.$ZodIssue): string | null {
  if (issue.code !== 'too_small' && issue.code !== 'too_big') return null;
  if (issue.origin !== 'number' && issue.origin !== 'int') return null;
  const [bound, low] = issue.code === 'too_small' ? [issue.minimum, true] : [issue.maximum, false];
  if (issue.inclusive === false) return `must be ${low ? 'more' : 'less'} than ${bound}`;
  return `must be at ${low ? 'least' : 'most'} ${bound}`;
}
