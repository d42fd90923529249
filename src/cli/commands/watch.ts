import type { Command } from 'commander';
import { AssayError } from '../../domain/errors.js';
import { isEnded } from '../../domain/statuses.js';
import { followOrLeave } from '../follow/follow.js';
import { withContext, type CommandContext } from '../context.js';
import { endRequest } from '../terminal/interrupt.js';
import type { CommonFlags } from '../terminal/terminal.js';

export function register(program: Command): void {
  program
    .command('watch')
    .description('follow a campaign until it ends; Ctrl-C leaves it running')
    .argument('<campaign>', 'name of the campaign')
    .option('--json', 'print one JSON object a line: assay.event/1')
    .addHelpText('before', 'Examples:\n  assay watch demo\n  assay watch demo --json | jq .event\n')
    .addHelpText('after', '\nThe exit code is 1 when the campaign failed or is blocked.')
    .action(async (campaign: string, flags: CommonFlags) => {
      await withContext(['store'], (ground) => watch(ground, campaign, flags.json === true), endRequest());
    });
}

async function watch(ground: CommandContext, name: string, json: boolean): Promise<void> {
  await refuseStall(ground, name);
  process.exitCode = await followOrLeave(ground, name, json);
}

/** Servers that this command had to start itself have no workers, so nothing would ever move. */
async function refuseStall({ servers, lineage }: CommandContext, name: string): Promise<void> {
  if (!servers.owned) return;
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
