import { turnKey } from '../../domain/keys.js';
import { NOTHING } from '../../lineage/budgets/budgets.js';
import type { LedgerDocument } from '../../lineage/documents/ledger.js';
import { sameAmounts } from './amounts.js';
import { Finder, type CampaignFacts, type Checked, type StoreFacts } from './facts.js';

/** A reply that was used was stored before; a request whose reply was lost is settled at what it could have cost. */
export function checkReplies({ store }: CampaignFacts): Checked {
  const { campaign, sessions, turns, replies, answers, money } = store;
  const finder = new Finder(campaign._id);
  finder.malformed(sessions, turns, replies, answers);
  const uses = checkUses(finder, store);
  const requests = checkRequests(finder, store);
  const attempts = attemptsOf(store);
  const certainty = new Map(money.rows.documents.map((row) => [row._id, row.certainty]));
  for (const { _id: key, turn, attempt, session } of replies.documents) {
    if ((attempts.get(turnKey(session, turn)) ?? 0) < attempt)
      finder.say(key, 'the reply belongs to no attempt of a turn');
    const row = certainty.get(key);
    if (row === 'unpaid') finder.say(key, 'its reply is stored, and the ledger calls it unpaid');
    if (row === undefined && !reserved(store, key))
      finder.say(key, 'its reply is stored, and neither the ledger nor a reservation has it');
  }
  return {
    examined: { turns: turns.documents.length, replies: replies.documents.length, uses, requests },
    notExamined: [],
    violations: finder.violations,
  };
}

const attemptsOf = ({ turns }: StoreFacts): ReadonlyMap<string, number> =>
  new Map(turns.documents.map((turn) => [turn._id, turn.attempts]));

const reserved = ({ money }: StoreFacts, key: string): boolean =>
  [money.before, money.after].some(
    (budget) => budget !== null && Object.values(budget.open).some((open) => open.key === key),
  );

/** Counts what a turn has led to: an answer to one of its calls, a trial, or the turn after it. */
function checkUses(finder: Finder, { turns, replies, answers, trials }: StoreFacts): number {
  const stored = new Set(replies.documents.map(({ _id }) => _id));
  const byKey = new Map(turns.documents.map((turn) => [turn._id, turn]));
  const uses = new Map<string, string>();
  for (const { session, turn } of turns.documents)
    if (turn > 0) uses.set(turnKey(session, turn - 1), 'the turn after it');
  for (const { session, turn } of answers.documents) uses.set(turnKey(session, turn), 'an answer');
  for (const { session, turn, number } of trials.documents)
    if (session !== null && turn !== null) uses.set(turnKey(session, turn), `trial ${number}`);
  for (const { _id: key, chosen, attempts } of turns.documents)
    if (chosen !== null && (chosen > attempts || !stored.has(`${key}/${chosen}`)))
      finder.say(key, `the turn uses the reply of attempt ${chosen}, which is not stored`);
  for (const [key, use] of uses)
    if ((byKey.get(key)?.chosen ?? null) === null)
      finder.say(key, `the turn has led to ${use} without a reply that it uses`);
  return uses.size;
}

/** Every row of a request: what is known has its reply, what is lost counts in full, what is unpaid counts nothing. */
function checkRequests(finder: Finder, store: StoreFacts): number {
  const { replies, money } = store;
  const stored = new Set(replies.documents.map(({ _id }) => _id));
  const attempts = attemptsOf(store);
  const rows = money.rows.documents.filter(({ what }) => what === 'model');
  for (const row of rows) {
    const { _id: key } = row;
    const cut = key.lastIndexOf('/');
    if ((attempts.get(key.slice(0, cut)) ?? 0) < Number(key.slice(cut + 1)))
      finder.say(key, 'the ledger has a request that no turn has made');
    else if (row.certainty === 'known' && !stored.has(key))
      finder.say(key, 'the ledger knows what its reply cost, and the reply is not stored');
    const wrong = wrongLoss(row);
    if (wrong !== null) finder.say(key, wrong);
  }
  return rows.length;
}

/** Finds the fault of a row whose spending could not be measured; null where there is none. */
export function wrongLoss({ certainty, spent, reserved: held }: LedgerDocument): string | null {
  if (certainty === 'unknown' && !sameAmounts(spent, held))
    return 'it was lost, and does not count as much as it could have cost';
  if (certainty === 'estimated' && spent.tokens === 0) return 'its reply broke off, and counts no token';
  if (certainty === 'unpaid' && !sameAmounts(spent, NOTHING)) return 'it is unpaid, and counts something';
  return null;
}
