import type { Db } from 'mongodb';

/** Context of a migration. */
export interface MigrationContext {
  database: Db;
  /**
   * To be called between two writes of a long migration.
   * @throws AssayError OVERTAKEN once another process migrates in this one's place
   */
  checkpoint: () => void;
  /** Reports progress to people. */
  say: (line: string) => void;
}

/**
 * One change of stored documents. A process may die in the middle of it, and one that was only suspended may continue
 * beside its successor, so each write changes one document, only if that is not changed yet, and is idempotent.
 */
export interface Migration {
  /** NNN-name, like the file. */
  id: `${number}-${string}`;
  /** Version of the store afterwards; raised if an older assay would then misread the store. */
  version: number;
  /** Title for people, shown while it runs. */
  title: string;
  run(context: MigrationContext): Promise<void>;
}

/** Returns its place in the order of all migrations. */
export const numberOf = ({ id }: Pick<Migration, 'id'>): number => Number(id.slice(0, 3));
