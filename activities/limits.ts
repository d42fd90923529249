import {
  lackingBudget,
  LIMIT_NAMES,
  limitsInUnits,
  type LimitChange,
  type LimitName,
} from '../src/domain/money/budget.js';
import { textOfReason } from '../src/domain/campaign/reasons.js';
import { AssayError } from '../src/domain/errors.js';
import { allModels } from '../src/domain/session/model-settings.js';
import { isEnded, isHeld } from '../src/domain/statuses.js';
import type { CampaignDocument } from '../src/lineage/documents/campaign.js';
import type { Lineage } from '../src/lineage/lineage.js';
import { priceKnown, pricesOf, type PriceTable } from '../src/model/pricing.js';
import { pauseExhausted } from '../src/lineage/budgets/pause-on-exhausted-budget.js';

/** Result of a change of limits, in the units of the change. */
export interface LimitsAnswer {
  limits: Record<LimitName, number | null>;
  changed: { limit: LimitName; from: number | null; to: number | null }[];
  /** True if the campaign, paused by an exhausted budget, resumes by itself. */
  goesOn: boolean;
  /** Reason why it stays paused or blocked, if it does. */
  held: string | null;
}

/**
 * Stores a change of limits; the same `id` is applied once.
 * @throws AssayError CAMPAIGN_ENDED; CAMPAIGN_INPUT where a dollar budget cannot be kept
 */
export async function changeLimits(
  { lineage, prices }: { lineage: Lineage; prices: PriceTable },
  { owner, id, change }: { owner: string; id: string; change: LimitChange },
): Promise<LimitsAnswer> {
  const { frozen, state, _id: name } = await lineage.campaigns.byOwner(owner);
  if (isEnded(state)) throw new AssayError('CAMPAIGN_ENDED', `campaign "${name}" has ended: ${state}`);
  if (change.dollars != null) requirePrices(allModels(frozen), pricesOf(frozen, prices));
  const made = await lineage.budgets.changeLimits(owner, { id, by: change.by ?? null, change });
  const [from, to] = [limitsInUnits(made.from), limitsInUnits(made.to)];
  const goesOn = await leavesRoom(lineage, await lineage.campaigns.byOwner(owner));
  return {
    limits: limitsInUnits(await lineage.budgets.limits(owner)),
    changed: LIMIT_NAMES.filter((limit) => from[limit] !== to[limit]).map((limit) => ({
      limit,
      from: from[limit],
      to: to[limit],
    })),
    goesOn,
    held: goesOn ? null : await heldBecause(lineage, owner),
  };
}

/** @throws AssayError CAMPAIGN_INPUT if one of the models has no known price */
export function requirePrices(models: readonly { id: string }[], prices: PriceTable): void {
  const model = models.find(({ id }) => !priceKnown(id, prices))?.id;
  if (model === undefined) return;
  throw new AssayError(
    'CAMPAIGN_INPUT',
    `a dollar budget needs a price, and none is known for the model "${model}"`,
  );
}

/** Returns true when the budget that paused a campaign has room for what was asked. */
export async function leavesRoom(
  lineage: Lineage,
  { owner, control, exhausted }: CampaignDocument,
): Promise<boolean> {
  if (control !== 'paused' || exhausted === null) return false;
  const { limits, held } = await lineage.budgets.get(owner);
  return lackingBudget(limits, held, exhausted.needs) === null;
}

/** Reason after the change: a budget that is still too small gives its new numbers. */
async function heldBecause(lineage: Lineage, owner: string): Promise<string | null> {
  const { exhausted } = await lineage.campaigns.byOwner(owner);
  if (exhausted !== null) await pauseExhausted(lineage, owner, exhausted.needs);
  const { control, controlReason, state } = await lineage.campaigns.byOwner(owner);
  if (exhausted !== null && state === 'paused' && isHeld(control))
    await lineage.campaigns.setState(owner, 'paused', controlReason);
  return isHeld(control) ? textOfReason(controlReason) : null;
}
