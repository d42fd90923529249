export const KINDS = ['server', 'store', 'worker'] as const;
export type Kind = (typeof KINDS)[number];

/** One kill, and how long it took until everything was up again; times are milliseconds of `Date.now`. */
export interface Kill {
  kind: Kind;
  at: number;
  upAt: number;
  /** Phases that were completed since everything was up after the kill before. */
  phases: number;
}
