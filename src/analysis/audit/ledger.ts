import { isEnded } from '../../domain/statuses.js';
import { NOTHING } from '../../lineage/budgets/budgets.js';
import type { BudgetDocument } from '../../lineage/documents/budget.js';
import type { LedgerDocument } from '../../lineage/documents/ledger.js';
import { sameAmounts, sumOf, UNITS } from './amounts.js';
import { Finder, type CampaignFacts, type Checked, type StoreFacts } from './facts.js';
import { wrongLoss } from './replies.js';

/** Spending equals the sum of the ledger, and at the end no reservation is open. */
export function checkLedger({ store }: CampaignFacts): Checked {
  const { campaign, money, trials } = store;
  const { before, after, rows } = money;
  const finder = new Finder(campaign._id);
  finder.malformed(rows);
  const open = Object.values(after?.open ?? {});
  if (before === null || after === null) {
    if (trials.documents.length > 0) finder.say('budget', 'the campaign has trials and no budget');
  } else {
    if (rows.malformed.length === 0) sums(finder, store, before, after);
    if (isEnded(campaign.state))
      for (const { key, what } of open)
        finder.say(key, `the campaign is ${campaign.state}, and ${what} is still reserved`);
  }
  for (const row of rows.documents) {
    // requests to the model are looked at with their replies
    const wrong = row.what === 'model' ? null : row.what === 'saved' ? wrongSaving(row) : wrongLoss(row);
    if (wrong !== null) finder.say(row._id, wrong);
  }
  return {
    examined: { rows: rows.documents.length, reservations: open.length },
    notExamined: [],
    violations: finder.violations,
  };
}

const wrongSaving = ({ spent, saved }: LedgerDocument): string | null =>
  sameAmounts(spent, NOTHING) && saved !== null
    ? null
    : 'it says that something was saved, and counts as spent';

/**
 * Checks that what is held equals what the ledger says was spent and what is reserved. A row is written before its
 * reservation is closed, so that one whose reservation is open is not counted yet. Where spending continued while it
 * was read, the ledger has to lie between the moment before and the moment after.
 */
function sums(finder: Finder, { money }: StoreFacts, before: BudgetDocument, after: BudgetDocument): void {
  const { rows, still } = money;
  const spent = rows.documents.map((row) => row.spent);
  const open = new Set(Object.values(after.open).map(({ hold }) => hold));
  const closed = rows.documents
    .filter(({ hold }) => hold === null || !open.has(hold))
    .map((row) => row.spent);
  for (const unit of UNITS) {
    const [low, high] = [settled(before, unit), settled(after, unit)];
    const sum = sumOf(closed, unit);
    if (still ? sum !== high : sum > high || sumOf(spent, unit) < low)
      finder.say(`spent ${unit}`, `the budget says ${high} ${unit} are spent, the ledger says ${sum}`);
  }
}

const settled = ({ held, open }: BudgetDocument, unit: (typeof UNITS)[number]): number =>
  held[unit] -
  sumOf(
    Object.values(open).map(({ reserved }) => reserved),
    unit,
  );
