import { estimateModel, type EstimatedTask } from '../../analysis/read-models/estimate.js';
import type { FrozenCampaign } from '../../domain/campaign/campaign.js';
import { AssayError } from '../../domain/errors.js';
import type { Lineage } from '../../lineage/lineage.js';
import { withContext } from '../context.js';
import { renderEstimate } from '../render/campaign-estimate.js';
import { wholeNumber } from '../terminal/parsing.js';
import { print, printJson, type CommonFlags } from '../terminal/terminal.js';
import { taskReference } from '../use-cases/start-campaign.js';

interface Flags extends CommonFlags {
  profile?: string;
  trials?: string;
  leases: string;
  hourPrice?: string;
}

export async function run(name: string, flags: Flags): Promise<void> {
  const settings = {
    trials:
      flags.trials === undefined
        ? undefined
        : wholeNumber('--trials', flags.trials, { min: 1, max: 1_000_000 }),
    leases: wholeNumber('--leases', flags.leases, { min: 1, max: 10_000 }),
    hourMicroUsd: flags.hourPrice === undefined ? null : priceOf(flags.hourPrice),
  };
  await withContext(['store'], async ({ lineage }) => {
    const { task, like } = await namedBy(lineage, name, flags.profile ?? null);
    const model = await estimateModel(lineage, task, settings, like);
    if (flags.json === true) printJson(model);
    else print(renderEstimate(model));
  });
}

/** Millionths of a dollar. @throws AssayError USAGE */
function priceOf(text: string): number {
  const dollars = Number(text);
  if (text.trim() !== '' && Number.isFinite(dollars) && dollars >= 0) return dollars * 1e6;
  throw new AssayError('USAGE', `--hour-price takes dollars for an hour, such as 2.5, not "${text}"`);
}

interface Named {
  task: EstimatedTask;
  /** The campaign that was named, whose settings are taken; null for a task. */
  like: FrozenCampaign | null;
}

/** The task that a name, a folder or a campaign stands for. @throws AssayError TASK_UNKNOWN, PROFILE_UNKNOWN */
async function namedBy(lineage: Lineage, name: string, profile: string | null): Promise<Named> {
  const campaign = name.includes('/') ? null : await lineage.campaigns.find(name);
  if (campaign !== null && profile === null) {
    const { frozen } = campaign;
    const { spec, _id: digest } = await lineage.tasks.get(frozen.task.digest);
    return { task: { spec, digest }, like: frozen };
  }
  const stored = await lineage.tasks.find(await taskReference(lineage, name, profile));
  if (stored === null) throw new AssayError('TASK_UNKNOWN', `there is no task or campaign "${name}"`);
  return { task: { spec: stored.spec, digest: stored._id }, like: null };
}
