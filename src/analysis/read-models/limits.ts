import { textOfReason } from '../../domain/campaign/reasons.js';
import {
  AT_LIMIT,
  LIMIT_NAMES,
  limitsInUnits,
  type LimitName,
  type Limits,
} from '../../domain/money/budget.js';
import type { CampaignState, RunControl } from '../../domain/statuses.js';
import type { LimitChangeRecord } from '../../lineage/documents/budget.js';
import type { CampaignDocument } from '../../lineage/documents/campaign.js';
import type { Lineage } from '../../lineage/lineage.js';
import type { LimitUse } from './progress.js';
import { spendingOf, type Spending } from '../statistics/spending.js';

/** A limit with what is reserved for work that has not ended; null for what is not reserved. */
export type BudgetLine = LimitUse & { open: number | null };

/** A change of limits that a person asked for. */
export interface LimitsChanged {
  at: string;
  by: string | null;
  changed: { limit: LimitName; from: number | null; to: number | null }[];
}

/** `assay.budget/1`, the changes oldest first. */
export interface BudgetModel {
  schema: 'assay.budget/1';
  asOf: string;
  campaign: string;
  state: CampaignState;
  reason: string | null;
  control: RunControl;
  limits: BudgetLine[];
  openReservations: number;
  changes: LimitsChanged[];
}

const HOUR_MS = 3_600_000;

/** @throws AssayError CAMPAIGN_UNKNOWN */
export async function budgetModel(lineage: Lineage, name: string): Promise<BudgetModel> {
  const campaign = await lineage.campaigns.byName(name);
  const { owner, state, reason, control } = campaign;
  const [totals, budget] = await Promise.all([lineage.trials.totals(owner), lineage.budgets.get(owner)]);
  const spending = spendingOf(budget);
  const open: Partial<Record<LimitName, number>> = {
    dollars: spending.open.microUsd / 1e6,
    acceleratorSeconds: spending.open.acceleratorMs / 1000,
  };
  return {
    schema: 'assay.budget/1',
    asOf: new Date().toISOString(),
    campaign: name,
    state,
    reason: textOfReason(reason),
    control,
    limits: limitUses(campaign, budget.limits, totals, spending).map((use) => ({
      ...use,
      open: open[use.limit] ?? null,
    })),
    openReservations: spending.openReservations,
    changes: budget.changes.map(changeOf),
  };
}

function changeOf({ at, by, from, to }: LimitChangeRecord): LimitsChanged {
  const [before, after] = [limitsInUnits(from), limitsInUnits(to)];
  const changed = LIMIT_NAMES.filter((limit) => before[limit] !== after[limit]);
  return {
    at: at.toISOString(),
    by,
    changed: changed.map((limit) => ({ limit, from: before[limit], to: after[limit] })),
  };
}

const UNITS: Record<LimitName, LimitUse['unit']> = {
  trials: 'trials',
  submissions: 'submissions',
  hours: 'h',
  hoursWithoutGain: 'h',
  dollars: 'USD',
  acceleratorSeconds: 's',
};

/** Every limit as it is now, with what is used of it: what is reserved counts as used. */
export function limitUses(
  { elapsed }: CampaignDocument,
  limits: Limits,
  { submitted, counted }: { submitted: number; counted: number },
  { settled, open }: Pick<Spending, 'settled' | 'open'>,
): LimitUse[] {
  const used: Record<LimitName, number> = {
    trials: counted,
    submissions: submitted,
    hours: elapsed.ranMs / HOUR_MS,
    hoursWithoutGain: elapsed.sinceGainMs / HOUR_MS,
    dollars: (settled.microUsd + open.microUsd) / 1e6,
    acceleratorSeconds: (settled.acceleratorMs + open.acceleratorMs) / 1000,
  };
  const allowed = limitsInUnits(limits);
  return LIMIT_NAMES.map((limit) => ({
    limit,
    used: used[limit],
    allowed: allowed[limit],
    unit: UNITS[limit],
    then: AT_LIMIT[limit],
  }));
}
