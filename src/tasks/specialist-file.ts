import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { AssayError } from '../domain/errors.js';
import type { Task } from '../domain/task/task.js';
import { explain } from '../domain/text/explain.js';

/** A file `specialists/ROLE.md`: the role's prompt, and what stands before it between lines of `---`. */
export interface SpecialistFile {
  /** Roles whose trials the role is shown besides its own; null: all others. */
  neighbours: string[] | null;
  prompt: string;
}

const frontMatter = z.strictObject({ neighbours: z.array(z.string()).max(64).optional() });

/** @throws AssayError TASK_INVALID where the front matter is malformed */
export function readSpecialist(path: string, text: string): SpecialistFile {
  const found = /^---[ \t]*\r?\n((?:.*\r?\n)*?)---[ \t]*(?:\r?\n|$)/.exec(text);
  if (found === null) return { neighbours: null, prompt: text };
  const parsed = frontMatter.safeParse(yamlOf(path, (found[1] ?? '').replaceAll('\r', '')) ?? {});
  if (!parsed.success) throw invalid(path, explain(parsed.error));
  return { neighbours: parsed.data.neighbours ?? null, prompt: text.slice(found[0].length) };
}

/**
 * Checks the front matter of every specialist of a task.
 * @throws AssayError TASK_INVALID where it is malformed, or names a neighbour that is none
 */
export function checkSpecialists(
  { specialists }: Pick<Task, 'specialists'>,
  files: readonly { path: string; bytes: Buffer }[],
): void {
  for (const role of specialists) {
    const path = `specialists/${role}.md`;
    const file = files.find((one) => one.path === path);
    if (file === undefined) continue;
    const { neighbours } = readSpecialist(path, file.bytes.toString('utf8'));
    const unknown = (neighbours ?? []).find((name) => name === role || !specialists.includes(name));
    if (unknown === undefined) continue;
    const others = specialists.filter((name) => name !== role).join(', ');
    throw new AssayError(
      'TASK_INVALID',
      `${path}: ${JSON.stringify(unknown)} is no neighbour of ${role}: there are ${others === '' ? 'none' : others}`,
    );
  }
}

function yamlOf(path: string, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof YAMLParseError) throw invalid(path, error.message);
    throw error;
  }
}

const invalid = (path: string, why: string): AssayError =>
  new AssayError('TASK_INVALID', `${path}: the lines between --- and ---: ${why}`);
