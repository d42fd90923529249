import type { ErrorCode } from '../../../src/domain/errors.js';
import type { CampaignState, TrialStatus } from '../../../src/domain/statuses.js';

/**
 * Result of an input: an error of the registry, a status of a trial, a state of its campaign, or plain words.
 */
export type Gets = { error: ErrorCode } | { trial: TrialStatus } | { campaign: CampaignState } | string;

export const error = (code: ErrorCode): Gets => ({ error: code });
export const trial = (status: TrialStatus): Gets => ({ trial: status });
export const campaign = (state: CampaignState): Gets => ({ campaign: state });

/** One kind of input that is wrong: a row of the table. */
export interface BadInput {
  input: string;
  /** The step that notices it first. */
  noticed: string;
  /** In the order in which they happen. */
  gets: readonly Gets[];
  /** Message; N stands for a number, words in capitals for what varies, … for the rest. */
  reads: string;
  /** The test that shows all of this, from the input to the end. It names the row. */
  shownBy: string;
}

type Row = readonly [input: string, noticed: string, gets: Gets | readonly Gets[], reads: string];

/** Rows that the same test shows. */
export function shownBy<Name extends string>(test: string, rows: Record<Name, Row>): Record<Name, BadInput>;
export function shownBy(test: string, rows: Record<string, Row>): Record<string, BadInput> {
  return Object.fromEntries(
    Object.entries(rows).map(([name, [input, noticed, gets, reads]]) => [
      name,
      { input, noticed, gets: isList(gets) ? gets : [gets], reads, shownBy: test },
    ]),
  );
}

const isList = (gets: Gets | readonly Gets[]): gets is readonly Gets[] => Array.isArray(gets);
