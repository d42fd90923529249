import { countedAsWritten, countedFiles, countedForm } from '../domain/task/counted.js';
import { treeBytes } from '../domain/task/entry-bytes.js';
import { matchesGlob } from '../domain/text/paths.js';
import type { StoredFile } from '../lineage/documents/snapshot.js';
import type { Task } from '../domain/task/task.js';
import type { Blobs } from '../lineage/blob-store/blobs.js';
import type { Python } from '../tasks/python.js';
import { codeSizes } from '../tasks/code-size.js';

/**
 * Bytes of the files that count towards a code-size gate, with their names: as they are, or in the form that the task says.
 * @throws AssayError PYTHON_UNAVAILABLE where the task's Python cannot make that form
 */
export async function countedBytes(
  { lineage }: { lineage: { blobs: Pick<Blobs, 'readFiles'> } },
  { spec, python }: { spec: Task; python: Pick<Python, 'executable' | 'env'> },
  files: readonly StoredFile[],
  signal: AbortSignal,
): Promise<number> {
  const counted = files.filter((file) => matchesGlob(file.path, countedFiles(spec.recipe)));
  const form = countedForm(spec.recipe);
  if (countedAsWritten(form)) return treeBytes(counted);
  const read = (wanted: readonly StoredFile[]) => lineage.blobs.readFiles([...wanted]);
  const sizes = await codeSizes(python, form, counted, read, signal);
  return treeBytes(counted.map(({ path }, at) => ({ path, bytes: sizes[at] ?? 0 })));
}
