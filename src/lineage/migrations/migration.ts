import type { Db } from 'mongodb';

/** What a migration works with. */
export interface MigrationContext {
  database: Db;
  /**
   * To be called between two writes of a long run.
   * @throws AssayError OVERTAKEN once another process migrates in this one's place
   */
  checkpoint: () => void;
  /** Tells people how far it is. */
  say: (line: string) => void;
}

/**
 * One change of what is stored. A process may die in the midst of it, and one that was only stopped may go on beside
 * its successor: each write is one document's, made only where it has not been made yet, and done again it changes
 * nothing.
 */
export interface Migration {
  /** NNN-name, as its file. */
  id: `${number}-${string}`;
  /** Version of the store after it: higher than before where an older assay would misread the store from then on. */
  version: number;
  /** What it does, as people read it while it runs. */
  title: string;
  run(context: MigrationContext): Promise<void>;
}

/** Its place in the order of all. */
export const numberOf = ({ id }: Pick<Migration, 'id'>): number => Number(id.slice(0, 3));
