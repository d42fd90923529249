import type { CampaignInput, Lane } from '../domain/campaign/campaign.js';
import {
  DEFAULT_WINDOW,
  type FrozenModels,
  type ModelSetting,
  type ModelsInput,
} from '../domain/session/model-settings.js';
import { AssayError } from '../domain/errors.js';
import { modelPrice, OFFLINE_MODEL, type PriceTable } from './pricing.js';

type ModelFields = Pick<
  CampaignInput,
  'model' | 'models' | 'roleModels' | 'effort' | 'thinking' | 'maxTokens' | 'window'
>;

/**
 * Resolves the models that a campaign is frozen with, each with its price.
 * @throws AssayError CAMPAIGN_INPUT where models are named for a role that has no lane
 */
export function frozenModels(
  input: ModelFields,
  lanes: readonly Lane[],
  { defaultModel, prices }: { defaultModel: string; prices: PriceTable },
): FrozenModels {
  const setting = ({ id, weight, ...own }: ModelsInput[number]): ModelSetting => ({
    id,
    offline: id === OFFLINE_MODEL,
    price: modelPrice(id, prices),
    weight,
    effort: own.effort ?? input.effort ?? null,
    thinking: own.thinking ?? input.thinking,
    maxTokens: own.maxTokens ?? input.maxTokens,
    window: own.window ?? input.window ?? DEFAULT_WINDOW,
  });
  const asked = input.models ?? [{ id: input.model ?? defaultModel, weight: 1 }];
  const models = asked.map(setting);
  const [first] = models;
  if (first === undefined) throw new AssayError('CAMPAIGN_INPUT', 'models: names no model');
  return {
    model: { id: first.id, offline: first.offline },
    price: first.price,
    maxTokens: input.maxTokens,
    models,
    roleModels: Object.fromEntries(
      Object.entries(input.roleModels).map(([role, own]) => {
        if (lanes.some((lane) => lane.role === role)) return [role, own.map(setting)] as const;
        const roles = [...new Set(lanes.map((lane) => lane.role))].join(', ');
        throw new AssayError(
          'CAMPAIGN_INPUT',
          `roleModels: no lane has the role "${role}"; the roles are ${roles === '' ? 'none' : roles}`,
        );
      }),
    ),
  };
}
