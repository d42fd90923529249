/** A run that goes on, as far as whoever may have to kill it without asking its supervisor needs to know it. */
export interface LiveRun {
  /** What its processes name as ASSAY_RUN. */
  mark: string;
  /** The leader of its process group. */
  group: number;
  /** Folders of control groups that hold nothing else. */
  controlGroups: readonly string[];
  /** The user that only its processes have; null where they are the worker's. */
  uid: number | null;
  /** Its limit on wall time, in seconds. */
  wallS: number;
}
