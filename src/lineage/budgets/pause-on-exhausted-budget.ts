import { budgetReason, lackingBudget, type Money } from '../../domain/money/budget.js';
import type { Lineage } from '../lineage.js';

/**
 * Pauses a working campaign whose budget leaves no room for what is asked. Does nothing if there is room by now: the
 * caller will ask again.
 */
export async function pauseExhausted(lineage: Lineage, owner: string, asked: Money): Promise<void> {
  const { limits, held } = await lineage.budgets.get(owner);
  const needs = { microUsd: asked.microUsd, acceleratorMs: asked.acceleratorMs };
  const budget = lackingBudget(limits, held, needs);
  if (budget === null) return;
  const { _id: name } = await lineage.campaigns.byOwner(owner);
  const reason = budgetReason(name, budget, { limits, held, needs });
  await lineage.campaigns.pauseExhausted(owner, { budget, needs }, reason);
}
