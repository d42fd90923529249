import { campaignsModel } from '../../analysis/read-models/campaigns.js';
import { statusModel } from '../../analysis/read-models/status.js';
import { isEnded, needsPerson } from '../../domain/statuses.js';
import { priceKnown } from '../../model/pricing.js';
import { inspectServer } from '../follow/inspect-server.js';
import { withContext, type CommandContext } from '../context.js';
import { onStdout } from '../render/paint.js';
import { renderCampaigns, renderStatus, renderNotStarted } from '../render/status.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';
import { notStarted, type NotStartedModel } from '../follow/not-started.js';

const LISTED = 50;

export async function run(campaign: string | undefined, flags: CommonFlags): Promise<void> {
  await withContext(['store'], (ground) =>
    campaign === undefined ? list(ground, flags) : show(ground, campaign, flags),
  );
}

async function list({ lineage }: CommandContext, flags: CommonFlags): Promise<void> {
  const model = await campaignsModel(lineage, LISTED);
  if (flags.json === true) {
    printJson(model);
    return;
  }
  if (model.campaigns.length === 0) {
    say('no campaigns in this store yet; `assay demo` runs a small one');
    return;
  }
  print(renderCampaigns(model, onStdout));
  if (model.campaigns.length === LISTED) say(`only the newest ${LISTED} are listed`);
  say(`\n\`assay status ${model.campaigns[0]?.campaign ?? 'NAME'}\` shows one`);
}

async function show(ground: CommandContext, campaign: string, flags: CommonFlags): Promise<void> {
  const { lineage, servers } = ground;
  const stored = await lineage.campaigns.find(campaign);
  if (stored === null) {
    const model = await notStarted(ground, campaign);
    if (model !== null) {
      showNotStarted(model, flags);
      return;
    }
  }
  const model = await statusModel(lineage, campaign, (one, open) => inspectServer(ground, one, open));
  if (flags.json === true) {
    printJson(model);
    return;
  }
  print(renderStatus(model, onStdout, stored?.frozen.price != null || priceKnown(model.model.id)));
  if (model.unexamined !== null && !isEnded(model.state) && !servers.alone)
    say(`\nwhat waits on the server was not examined: ${model.unexamined}`);
  if (isEnded(model.state)) say(`\n\`assay trials ${campaign}\` lists the trials`);
  else if (servers.alone) say(`\nnothing runs it now: \`assay dev\` continues it`);
  else if (!needsPerson(model.state)) say(`\n\`assay watch ${campaign}\` follows it`);
}

function showNotStarted(model: NotStartedModel, flags: CommonFlags): void {
  if (flags.json === true) printJson(model);
  else print(renderNotStarted(model, onStdout));
}
