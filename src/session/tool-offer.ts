import type { FrozenCampaign } from '../domain/campaign/campaign.js';
import type { Task } from '../domain/task/task.js';
import type { ToolOffer } from '../model/tools/tool.js';

/** Derives the tools of all sessions of a campaign from what it was frozen with. */
export function toolOffer(
  { recipe, phases }: Pick<Task, 'recipe' | 'phases'>,
  { workbench, probes, donors }: Pick<FrozenCampaign, 'workbench' | 'probes' | 'donors'>,
): ToolOffer {
  const { domains } = recipe;
  const bench = { probes, profiles: phases.profile !== undefined };
  return { domains, donors, ...(workbench === 'off' ? {} : { workbench: bench }) };
}
