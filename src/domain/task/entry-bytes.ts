const utf8 = new TextEncoder();

/** A file by its size, or a folder, whose `bytes` are 0. */
export interface Entry {
  /** Relative, parts separated by `/`. */
  path: string;
  bytes: number;
}

/**
 * The bytes that a file or folder counts with: its content, its path in UTF-8, and one more. A name carries as well as
 * a content does, and so does that of an empty folder.
 */
export function entryBytes({ path, bytes }: Entry): number {
  return bytes + utf8.encode(path).length + 1;
}

/** The bytes that files and folders count with together. */
export function treeBytes(entries: readonly Entry[]): number {
  return entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
}
