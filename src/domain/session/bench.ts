/** Command of a session, on the files of a snapshot. */
export interface ShellRequest {
  owner: string;
  snapshot: string;
  command: string;
  timeoutS: number;
  /** True where the files that it changes are asked for. */
  keep: boolean;
}

/** End of a command of a session. */
export interface CommandEnd {
  /** Exit status; null where it did not exit by itself. */
  exit: number | null;
  /** `exit status 1, 0.4 s`, or which limit ended it. */
  ended: string;
  wallMs: number;
  /** Head and tail of what it printed. */
  log: string;
}

/** Changes that a command made to the files of a recipe. */
export interface KeptFiles {
  /** Files that may be edited, with what is in them now. */
  changed: { path: string; bytes: Buffer }[];
  /** Others that it wrote. */
  foreign: string[];
  /** Files that it removed. */
  removed: string[];
}

/** Changes, or the reason why none of them can be kept. */
export type Keeping = { kept: KeptFiles } | { refused: string };

/** A command that ran, or the reason why it did not. */
export type ShellResult =
  | { ran: false; refusal: string }
  /** `keeping` is null where nothing is asked for. */
  | ({ ran: true; keeping: Keeping | null } & CommandEnd);

/** Run of a session on the training data, which is charged and is no trial. */
export interface ProbeRequest {
  owner: string;
  role: string;
  snapshot: string;
  /** null: the profile of the task. */
  command: string | null;
  /** null: the training budget. */
  timeoutS: number | null;
  /** Records that it begins, once it has its lease, and gives the key that it is charged under. */
  begin: () => Promise<string>;
}

/** Points of a run's own report of its progress. */
export type ProbeProgress = readonly { share: number; value: number }[];

/** A probe that ran, or the reason why it did not. */
export type ProbeResult =
  { ran: false; refusal: string } | ({ ran: true; command: string; progress: ProbeProgress } & CommandEnd);
