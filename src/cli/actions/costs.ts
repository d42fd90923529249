import { costsModel } from '../../analysis/statistics/costs.js';
import { withContext } from '../context.js';
import { renderAllCosts, renderCosts } from '../render/costs.js';
import { onStdout } from '../render/paint.js';
import { withProgressLine } from '../terminal/progress-line.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

const LISTED = 50;

export async function run(campaign: string | undefined, flags: CommonFlags): Promise<void> {
  await withContext(['store'], async ({ lineage }) => {
    const newest = campaign === undefined ? await lineage.campaigns.list(LISTED) : [];
    const names = campaign === undefined ? newest.map(({ _id }) => _id) : [campaign];
    const model = await withProgressLine((at) =>
      costsModel(lineage, names, (name) => at(`adding up the ledger of ${name} …`)),
    );
    if (flags.json === true) {
      printJson(model);
      return;
    }
    const [first] = model.campaigns;
    if (first === undefined) say('no campaigns in this store yet; `assay demo` runs a small one');
    else if (campaign === undefined) {
      print(renderAllCosts(model.campaigns));
      if (names.length === LISTED) say(`only the newest ${LISTED} are listed`);
      say(`\n\`assay costs ${first.campaign}\` shows where it went`);
    } else print(renderCosts(first, onStdout));
  });
}
