/** Kind of store. Neither can read the other's files, so a store stays with the kind that it began with. */
export type StoreKind = 'mongod' | 'fallback';

/** A program that serves a store. */
export interface StoreProgram {
  kind: StoreKind;
  version: string;
  /** Name for people. */
  how: string;
  file: string;
  /** Its arguments for a port on 127.0.0.1 and a folder that exists. */
  args(port: number, folder: string): string[];
  /**
   * Query that a client must add to the address, so that an acknowledged write survives a kill of the server.
   */
  query: string;
}
