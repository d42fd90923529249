import type { z } from 'zod';

/** The first thing that is wrong, in one line: `trials: expected a number`. */
export function explain(error: z.ZodError): string {
  const [issue] = error.issues;
  return issue === undefined ? 'malformed' : explainIssue(issue);
}

/** One thing that is wrong, with the field that it is wrong in. */
export function explainIssue(issue: z.core.$ZodIssue): string {
  const inner = innerOf(issue);
  if (inner !== null) return explainIssue({ ...inner, path: [...issue.path, ...inner.path] });
  const field = issue.path.map(String).join('.');
  const message = messageOf(issue);
  return field === '' ? message : `${field}: ${message}`;
}

/** The issue that says what is wrong, of one that only says where; null when it says so itself. */
function innerOf(issue: z.core.$ZodIssue): z.core.$ZodIssue | null {
  if (issue.code === 'invalid_key' || issue.code === 'invalid_element') return issue.issues[0] ?? null;
  if (issue.code !== 'invalid_union') return null;
  // of several forms, the one that the value is nearest to has something wrong further in
  const tried = issue.errors.flatMap(([first]) => first ?? []);
  return tried.toSorted((a, b) => b.path.length - a.path.length)[0] ?? null;
}

function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    const unknown = `unknown field ${issue.keys.map((key) => `"${key}"`).join(', ')}`;
    return issue.message.startsWith('Unrecognized key') ? unknown : `${unknown}: ${issue.message}`;
  }
  return boundOf(issue) ?? issue.message.replace(/^Invalid (input|option): /, '');
}

/** The bound that a number has crossed; null for other faults. */
function boundOf(issue: z.core.$ZodIssue): string | null {
  if (issue.code !== 'too_small' && issue.code !== 'too_big') return null;
  if (issue.origin !== 'number' && issue.origin !== 'int') return null;
  const [bound, low] = issue.code === 'too_small' ? [issue.minimum, true] : [issue.maximum, false];
  if (issue.inclusive === false) return `must be ${low ? 'more' : 'less'} than ${bound}`;
  return `must be at ${low ? 'least' : 'most'} ${bound}`;
}
