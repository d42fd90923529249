import { AssayError } from '../../domain/errors.js';
import { isEnded } from '../../domain/statuses.js';
import { followOrLeave } from '../follow/follow.js';
import { withContext, type CommandContext } from '../context.js';
import { endRequest } from '../terminal/interrupt.js';
import type { CommonFlags } from '../terminal/terminal.js';

export async function run(campaign: string, flags: CommonFlags): Promise<void> {
  await withContext(['store'], (ground) => watch(ground, campaign, flags.json === true), endRequest());
}

async function watch(ground: CommandContext, name: string, json: boolean): Promise<void> {
  await refuseStall(ground, name);
  process.exitCode = await followOrLeave(ground, name, { json });
}

/** Servers that this command had to start itself have no workers, so nothing would ever move. */
async function refuseStall({ servers, lineage }: CommandContext, name: string): Promise<void> {
  if (!servers.alone) return;
  const campaign = await lineage.campaigns.byName(name);
  if (isEnded(campaign.state)) return;
  throw new AssayError(
    'TEMPORAL_UNAVAILABLE',
    `campaign "${name}" is ${campaign.state}, but nothing runs here`,
    {
      remedy: '`assay dev` continues where it left off.',
    },
  );
}
