/** A file of this host whose content is known by its digest. */
export interface FileOnHost {
  /** On this host. */
  path: string;
  sha256: string;
  bytes: number;
}

/**
 * Content under its SHA-256, moved between files of this host and wherever it is kept, in memory that does not grow
 * with it. Stored content never changes. Every store of content passes the contract in test/lineage/content-stores.
 */
export interface ContentStore {
  /**
   * Stores the content of a file, unless it is there. A kill leaves all of it or nothing that is ever read.
   * @throws AssayError HOST_FAULT when the file does not have its digest
   */
  putFile(file: FileOnHost): Promise<void>;
  /** Returns true for content that is stored, and then stays long enough to be referred to. */
  has(sha256: string): Promise<boolean>;
  /**
   * Writes content to a path at which nothing lies, and checks it; leaves no file behind where it rejects.
   * @throws AssayError when it is missing or damaged: STORE_DOCUMENT of what has to be there, HOST_FAULT of what may go
   */
  writeTo(sha256: string, path: string): Promise<void>;
  /** Digests the stored bytes again; returns their number and the fault found, or null. */
  examine(sha256: string): Promise<{ bytes: number; wrong: string | null }>;
}
