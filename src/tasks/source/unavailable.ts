import { AssayError } from '../../domain/errors.js';
import type { Source } from '../../domain/task/schema/source.js';

/** The error of a repository that cannot be read at its pin. */
export function unavailable(
  { repository, commit }: Pick<Source, 'repository' | 'commit'>,
  cause: string,
  options: { remedy?: string } = {},
): AssayError {
  const why = cause.trim().slice(-600);
  return new AssayError(
    'SOURCE_UNAVAILABLE',
    `${repository} at ${commit.slice(0, 12)} is not available: ${why}`,
    options,
  );
}
