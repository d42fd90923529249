import type { TrialPlace } from '../../lineage/audit-reader.js';
import type { LedgerDocument } from '../../lineage/documents/ledger.js';

type SpendingPlace = Pick<LedgerDocument, '_id' | 'what' | 'trial'>;

/**
 * Returns a finder of the trial that a row of the ledger was spent on: a request belongs to the first trial that its
 * session submitted in its turn or later; one after the last, to none.
 */
export function trialsOfRows(trials: readonly TrialPlace[]): (row: SpendingPlace) => number | null {
  const bySession = new Map<string, { turn: number; number: number }[]>();
  for (const { number, session, turn } of trials)
    if (session !== null && turn !== null)
      bySession.set(session, [...(bySession.get(session) ?? []), { turn, number }]);
  for (const own of bySession.values()) own.sort((a, b) => a.turn - b.turn || a.number - b.number);
  return ({ _id, what, trial }) => {
    if (trial !== null) return trial;
    const [, session, turn] = /^(.+)\/(\d+)\/\d+$/.exec(_id) ?? [];
    if (what !== 'model' || session === undefined) return null;
    return bySession.get(session)?.find((each) => each.turn >= Number(turn))?.number ?? null;
  };
}
