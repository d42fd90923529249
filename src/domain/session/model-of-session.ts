import { sha256 } from '../digest.js';
import { modelsOf, type FrozenModels, type ModelSetting } from './model-settings.js';

// a file of its own: workflows, which read the settings, cannot digest
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
