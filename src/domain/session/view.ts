import type { Believed } from '../decision/lesson.js';
import type { TrialStage, TrialStatus } from '../statuses.js';
import type { Margin } from '../task/gates.js';
import type { Measure } from '../task/task.js';
import type { MovedRow } from '../text/table-changes.js';
import type { Label } from '../trial/labels.js';
import type { PhaseTime, SizeParts } from '../trial/measured-parts.js';
import type { Direction } from './directions.js';
import type { Expectations } from './expectations.js';
import type { FailureGroup } from './failure-groups.js';
import type { Left } from './left.js';
import type { Noise, ToldStatus } from './told.js';

/** One trial as a conversation reads it in a list. */
export interface SeenRow {
  /** Number in the campaign; 0 is the start recipe. */
  trial: number;
  role: string;
  parent: number | null;
  hypothesis: string;
  /** null while it runs. */
  status: ToldStatus | null;
  labels: Label[];
  score: number | null;
  /** Runs that the score is the mean of; null where that was not noted. */
  runs: number | null;
  noise: Noise | null;
  /** score − parent's score; null where either is missing. */
  delta: number | null;
  /** Change that its proposer expected. */
  expectedDelta: number | null;
  /** Belief about its true score; null where there is none. */
  believed: Believed | null;
  /** Margins of missed gates, and of gates met by less than a tenth. */
  margins: Margin[];
  /** Changed lines against the verified parent, "-old" and "+new", cut to a few hundred characters. */
  changes: string;
  /** Row of the evaluator's report that changed most against its parent. */
  moved: MovedRow | null;
  /** Reason why it ended as it did, in one line, with the numbers an agent can use. */
  lesson: string;
}

/** A trial with all that is known of it. */
export interface TrialRow extends SeenRow {
  status: TrialStatus | null;
}

/** The trial that the search builds on, in full. */
export interface FrontierRow extends SeenRow {
  sizes: SizeParts | null;
  phases: PhaseTime[];
  /** Lines of the evaluator's report, with their change against the parent. */
  report: string[];
  /** Lines of the diff against its parent. */
  diff: string[];
}

/** A trial that has not ended. */
export interface RunningTrial {
  trial: number;
  role: string;
  stage: TrialStage;
  hypothesis: string;
}

/** Note that an agent left for the sessions after it. */
export interface LeftNote {
  /** `arch-1/3`. */
  session: string;
  text: string;
}

/** Lineage view that a session is opened with. Its size does not grow with the campaign. */
export interface LineageView {
  campaign: string;
  metric: Measure;
  left: Left;
  /** Trial that the workspace is a copy of. */
  base: number;
  start: SeenRow;
  /** null where the conversation may not know it, and sees nothing of others. */
  frontier: FrontierRow | null;
  /** The adopted ancestors of the frontier, newest first. */
  chain: SeenRow[];
  /** Recent trials of the session's own role, newest first. */
  own: SeenRow[];
  /** Recent trials of the neighbouring roles, newest first. */
  neighbours: SeenRow[];
  /** Better than the frontier when measured, but stopped by a gate; best first. */
  nearMisses: SeenRow[];
  running: RunningTrial[];
  /** Failures among the newest trials, by cause. */
  failures: FailureGroup[];
  /** Ideas among the newest trials, by the words of their hypotheses and changes or by the domains of the task. */
  directions: Direction[];
  /** Expectations of the role against what was measured; null before there are any. */
  expectations: Expectations | null;
  /** Newest notes of the role, newest first. */
  notes: LeftNote[];
}
