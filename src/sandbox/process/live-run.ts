/** A running run, with what a process needs to kill it without its supervisor. */
export interface LiveRun {
  /** Value of ASSAY_RUN in its processes. */
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
