import type { Trajectory } from '../trajectory/trajectory.js';

/** Things that were put right while a table was read. */
export interface Repairs {
  /** Rows with too few or too many cells, put right. */
  ragged: number;
  /** Cells over several lines, kept whole. */
  multiline: number;
  /** Quotes that never close, taken as characters. */
  unclosed: number;
  /** Parents written with a prefix before their id. */
  prefixedParents: number;
  /** Texts with the remains of a tool call in them, divided into their fields. */
  embedded: number;
  /** Numbers written in words, or in quotes. */
  oddNumbers: number;
}

/** A row that could not be read; it is in no figure. */
export interface RefusedRow {
  line: number;
  why: string;
}

/** Facts of an archive that contradict each other. */
export interface Contradiction {
  kind:
    | 'parent'
    | 'parent-order'
    | 'parent-time'
    | 'order'
    | 'delta'
    | 'keep'
    | 'limit'
    | 'best'
    | 'tree'
    | 'snapshot'
    | 'id';
  /** Contradictions within the archive, in words. */
  text: string;
  count: number;
  /** Ids of the first few trials that it is about. */
  examples: string[];
}

/** Numbers of a row that only contradictions are found with. */
export interface RecordedFacts {
  id: string;
  /** Difference to the best before it, as the source computed it. */
  delta: number | null;
  /** Id as written in the parent column, less its prefix; empty where there is none. */
  parentId: string;
  snapshot: string;
}

/** One run of an archive: what it says, what was put right in it, and where it contradicts itself. */
export interface ArchiveRun {
  trajectory: Trajectory;
  /** Of the start and the trials, by number. */
  recorded: ReadonlyMap<number, RecordedFacts>;
  rows: number;
  repairs: Repairs;
  refused: RefusedRow[];
}
