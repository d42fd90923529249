/** Remainder of a campaign's limits; null where there is no limit. */
export interface Left {
  trials: number | null;
  hours: number | null;
  dollars: number | null;
  acceleratorSeconds: number | null;
}
