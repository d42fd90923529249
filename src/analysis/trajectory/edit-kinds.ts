import { EDIT_KINDS, type EditKind } from '../../domain/trial/edit-kind.js';
import { counted, type EndingCounts } from './outcomes.js';
import { isValid, type TrajectoryTrial } from './trajectory.js';

/** Trials of one nature of edit. */
export interface EditKindCounts {
  /** Null where the language of what was changed is not known, or the source does not tell. */
  kind: EditKind | null;
  trials: number;
  /** Measured, and within every gate. */
  valid: number;
  counts: EndingCounts;
}

/**
 * Counts trials by what their edits changed of the syntax trees: structure, constants alone, or nothing but layout
 * (the paper tells structural from constant-only edits, arXiv 2605.05724, section 4.1).
 */
export function editKinds(trials: readonly TrajectoryTrial[]): EditKindCounts[] {
  return [...EDIT_KINDS, null].flatMap((kind) => {
    const own = trials.filter(({ edit }) => edit === kind);
    if (own.length === 0) return [];
    return [{ kind, trials: own.length, valid: own.filter(isValid).length, counts: counted(own) }];
  });
}
