import type { Believed } from '../decision/lesson.js';
import type { Margin } from '../task/gates.js';
import type { TrialStatus } from '../statuses.js';
import type { Measure } from '../task/task.js';
import type { Label } from '../trial/labels.js';

/** One trial as agents and people read it in a list. */
export interface TrialRow {
  /** Number in the campaign; 0 is the start recipe. */
  trial: number;
  role: string;
  parent: number | null;
  hypothesis: string;
  /** null while it runs. */
  status: TrialStatus | null;
  labels: Label[];
  score: number | null;
  /** score − parent's score; null where either is missing. */
  delta: number | null;
  /** Belief about its true score; null where there is none. */
  believed: Believed | null;
  /** Margins of missed gates, and of gates met by less than a tenth. */
  margins: Margin[];
  /** Changed lines against the verified parent, "-old" and "+new", cut to a few hundred characters. */
  changes: string;
  /** Reason why it ended as it did, in one line, with the numbers an agent can use. */
  lesson: string;
}

/** Lineage view that a session is opened with. Its size does not grow with the campaign. */
export interface LineageView {
  campaign: string;
  metric: Measure;
  trialsLeft: number | null;
  start: TrialRow;
  frontier: TrialRow;
  /** The adopted ancestors of the frontier, newest first. */
  chain: TrialRow[];
  /** Recent trials of the session's own role, newest first. */
  own: TrialRow[];
  /** Recent trials of the other roles, newest first. */
  neighbours: TrialRow[];
  /** Better than the frontier when measured, but stopped by a gate; best first. */
  nearMisses: TrialRow[];
}
