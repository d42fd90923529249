import type { Failure } from '../../domain/trial/outcome.js';
import type { TrialDocument } from '../../lineage/documents/trial.js';

/** The failure of a trial, also of one that is not settled yet; null where there is none. */
export function failureOfTrial({ outcome, preflight }: TrialDocument): Failure | null {
  return outcome?.failure ?? preflight;
}
