import { audit, type AuditModel } from '../../analysis/audit/audit.js';
import type { Lineage } from '../../lineage/lineage.js';
import { outsideOf } from '../use-cases/audit-outside.js';
import { withContext, type CommandContext } from '../context.js';
import { homeFolder } from '../folders.js';
import { renderAudit } from '../render/audit.js';
import { bytes } from '../render/numbers.js';
import { onStdout } from '../render/paint.js';
import { withProgressLine } from '../terminal/progress-line.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

const VIOLATED = 1;
/** Campaigns that are looked at where none is named. */
const CAMPAIGNS = 10_000;

export async function run(campaign: string | undefined, flags: CommonFlags): Promise<void> {
  await withContext(['store'], async (ground) => {
    const names = campaign === undefined ? await allCampaigns(ground.lineage) : [campaign];
    const model = await audited(ground, names);
    if (flags.json === true) printJson(model);
    else print(renderAudit(model, onStdout));
    if (!model.ok) process.exitCode = VIOLATED;
    if (flags.json !== true) say(`\n${concludes(model)}`);
  });
}

async function allCampaigns({ campaigns }: Lineage): Promise<string[]> {
  return (await campaigns.list(CAMPAIGNS)).map(({ _id }) => _id).reverse();
}

/** The audit of some campaigns as this command sees them; what takes its time says so on stderr. */
export async function audited(ground: CommandContext, names: readonly string[]): Promise<AuditModel> {
  return withProgressLine((at) => {
    let where = '';
    return audit(ground.lineage, names, outsideOf(ground, homeFolder()), {
      onCampaign: (name, number, of) => {
        where = of === 1 ? name : `${name} (${number} of ${of})`;
        at(`reading ${where} …`);
      },
      onBytes: (count) => at(`digesting the files of ${where}: ${bytes(count)} so far …`),
    });
  });
}

/** The audit in one line. */
export function concludes({ invariants, campaigns }: AuditModel): string {
  const violated = invariants.filter(({ violations }) => violations.length > 0);
  const what = campaigns.length === 1 ? (campaigns[0] ?? '') : `${campaigns.length} campaigns`;
  if (violated.length > 0)
    return `${what}: violated: ${violated.map(({ number }) => `invariant ${number}`).join(', ')}`;
  const open = invariants.some(({ notExamined }) => notExamined.length > 0);
  return `${what}: all eight invariants hold${open ? ', as far as they were examined' : ''}`;
}
