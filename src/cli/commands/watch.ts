import type { Command } from 'commander';
import { AssayError } from '../../domain/errors.js';
import { isEnded } from '../../domain/statuses.js';
import type { CampaignDocument } from '../../lineage/documents.js';
import { withGround, type Ground } from '../ground.js';
import { within } from '../deadline.js';
import { endRequest, interrupted, Interrupted } from '../interrupt.js';
import { say, type CommonFlags } from '../terminal.js';
import { follow } from '../watching.js';

export function register(program: Command): void {
  program
    .command('watch')
    .description('follow a campaign until it ends; Ctrl-C leaves it running')
    .argument('<campaign>', 'name of the campaign')
    .option('--json', 'print one JSON object a line: assay.event/1')
    .addHelpText('before', 'Examples:\n  assay watch demo\n  assay watch demo --json | jq .event\n')
    .addHelpText('after', '\nThe exit code is 1 when the campaign failed or is blocked.')
    .action(async (campaign: string, flags: CommonFlags) => {
      await withGround(['store'], (ground) => watch(ground, campaign, flags.json === true), endRequest());
    });
}

async function watch(ground: Ground, name: string, json: boolean): Promise<void> {
  await refuseStandstill(ground, name);
  const stopping = new AbortController();
  const following = follow(ground, name, { json, signal: stopping.signal });
  const ended = await Promise.race([following, interrupted()]);
  stopping.abort();
  if (ended instanceof Interrupted) {
    await within(
      1000,
      'the last look',
      following.catch(() => undefined),
    );
    say(
      `campaign ${name} goes on; \`assay watch ${name}\` follows it again, \`assay pause ${name}\` pauses it`,
    );
    process.exitCode = ended.exitCode;
    return;
  }
  sayNext(ended);
}

/** Servers that this command had to start itself have no workers, so nothing would ever move. */
async function refuseStandstill({ servers, lineage }: Ground, name: string): Promise<void> {
  if (!servers.owned) return;
  const campaign = await lineage.campaigns.byName(name);
  if (isEnded(campaign.state)) return;
  throw new AssayError(
    'TEMPORAL_UNAVAILABLE',
    `campaign "${name}" is ${campaign.state}, but nothing runs here`,
    {
      remedy: '`assay dev` goes on with it where it left off.',
    },
  );
}

function sayNext({ _id: name, state }: CampaignDocument): void {
  if (state === 'blocked') {
    process.exitCode = 1;
    say(
      `next: mend that, then \`assay resume ${name}\`; its trials wait. \`assay stop ${name} --now\` ends it`,
    );
    return;
  }
  if (state === 'failed') {
    process.exitCode = 1;
    say(`next: \`assay status ${name}\` says why; \`assay trials ${name}\` lists what ran`);
    return;
  }
  say(`next: \`assay trials ${name} --best\`, then \`assay show ${name}/TRIAL\` with the one of interest`);
}
