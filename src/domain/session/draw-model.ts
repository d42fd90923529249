import { sha256 } from '../digest.js';
import { DEFAULT_WINDOW, type FrozenModels, type ModelSetting } from './model-settings.js';

/** All models of a campaign; one that was frozen with a single model has that one. */
export function allModels(frozen: FrozenModels): readonly ModelSetting[] {
  return [...modelsOf(frozen, null), ...Object.values(frozen.roleModels).flat()];
}

/** The models that a role's sessions draw from. */
function modelsOf(frozen: FrozenModels, role: string | null): readonly ModelSetting[] {
  const own = role === null ? undefined : frozen.roleModels[role];
  if (own !== undefined && own.length > 0) return own;
  if (frozen.models.length > 0) return frozen.models;
  const { model, price, maxTokens } = frozen;
  return [
    { ...model, price, weight: 1, effort: null, thinking: 'adaptive', maxTokens, window: DEFAULT_WINDOW },
  ];
}

/** Draws the model of a session by weight, from the session's key alone: it is the same however often it is asked. */
export function modelOfSession(
  frozen: FrozenModels,
  { role, session }: { role: string; session: string },
): ModelSetting {
  const models = modelsOf(frozen, role);
  const total = models.reduce((sum, { weight }) => sum + weight, 0);
  let left = (parseInt(sha256(`model\0${session}`).slice(0, 12), 16) / 2 ** 48) * total;
  const drawn = models.find(({ weight }) => {
    left -= weight;
    return left < 0;
  });
  const chosen = drawn ?? models.at(-1);
  if (chosen === undefined) throw new RangeError('a campaign has at least one model');
  return chosen;
}
