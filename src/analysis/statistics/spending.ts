import type { Limits } from '../../domain/money/budget.js';
import type { Amounts, BudgetDocument } from '../../lineage/documents/budget.js';
import { NOTHING, type LedgerSum } from '../../lineage/budgets/budgets.js';

/** Spending of a campaign: money in millionths of a dollar, accelerator time in milliseconds of one slot. */
export interface Spending {
  /** Settled, upper bounds of lost requests included. */
  settled: Amounts;
  /** Held for work that has not ended. */
  open: Amounts;
  openReservations: number;
  limits: Pick<Limits, 'microUsd' | 'acceleratorMs'>;
}

/** Spending with what the ledger knows of it. */
export interface AuditedSpending extends Spending {
  /** The part of `settled` that could not be measured, so it is counted at its upper bound. */
  unknown: { rows: number; spent: Amounts };
  byRole: Record<string, Amounts>;
  /** Accelerator time that reuse and early stops made unnecessary, in milliseconds of one slot; not in `settled`. */
  savedMs: number;
}

/** From the one document that holds a campaign's limits. */
export function spendingOf(budget: BudgetDocument): Spending {
  const reservations = Object.values(budget.open);
  const open = reservations.reduce((sum, each) => plus(sum, each.reserved), NOTHING);
  return {
    settled: minus(budget.held, open),
    open,
    openReservations: reservations.length,
    limits: { microUsd: budget.limits.microUsd, acceleratorMs: budget.limits.acceleratorMs },
  };
}

export function auditedSpending(budget: BudgetDocument, sums: readonly LedgerSum[]): AuditedSpending {
  const unknown = sums.filter((sum) => sum.certainty === 'unknown');
  const byRole: Record<string, Amounts> = {};
  for (const { role, spent } of sums) byRole[role] = plus(byRole[role] ?? NOTHING, spent);
  return {
    ...spendingOf(budget),
    unknown: {
      rows: unknown.reduce((sum, { rows }) => sum + rows, 0),
      spent: unknown.reduce((sum, { spent }) => plus(sum, spent), NOTHING),
    },
    byRole,
    savedMs: sums.reduce((sum, { savedMs }) => sum + savedMs, 0),
  };
}

export function plus(a: Amounts, b: Amounts): Amounts {
  return {
    microUsd: a.microUsd + b.microUsd,
    acceleratorMs: a.acceleratorMs + b.acceleratorMs,
    tokens: a.tokens + b.tokens,
  };
}

function minus(a: Amounts, b: Amounts): Amounts {
  return {
    microUsd: a.microUsd - b.microUsd,
    acceleratorMs: a.acceleratorMs - b.acceleratorMs,
    tokens: a.tokens - b.tokens,
  };
}
