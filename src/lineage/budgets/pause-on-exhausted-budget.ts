import { exhaustedReason, lackingBudget, type Money } from '../../domain/money/budget.js';
import type { Lineage } from '../lineage.js';

/**
 * Pauses a working campaign with a budget that leaves no room for what is asked. Nothing is done where there is room
 * by now: the caller will ask again.
 */
export async function pauseExhausted(lineage: Lineage, owner: string, asked: Money): Promise<void> {
  const { limits, held } = await lineage.budgets.get(owner);
  const needs = { microUsd: asked.microUsd, acceleratorMs: asked.acceleratorMs };
  const budget = lackingBudget(limits, held, needs);
  if (budget === null) return;
  const { _id: name } = await lineage.campaigns.byOwner(owner);
  const reason = exhaustedReason(name, budget, { limits, held, needs });
  await lineage.campaigns.pauseExhausted(owner, { budget, needs }, reason);
}
