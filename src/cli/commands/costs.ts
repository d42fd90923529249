import type { Command } from 'commander';
import { costsModel } from '../../analysis/statistics/costs.js';
import { withContext } from '../context.js';
import { renderAllCosts, renderCosts } from '../render/costs.js';
import { onStdout } from '../render/paint.js';
import { withProgressLine } from '../terminal/progress-line.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

const LISTED = 50;

export function register(program: Command): void {
  program
    .command('costs')
    .description('show where money and accelerator time went: by role, phase and status of the trials')
    .argument('[campaign]', 'one campaign, running or ended; default: a line for each of the newest')
    .option('--json', 'print JSON: assay.costs/1')
    .addHelpText('before', 'Examples:\n  assay costs\n  assay costs night-1\n  assay costs night-1 --json\n')
    .addHelpText(
      'after',
      '\nTotals are the sum of the ledger. `assay budget` shows limits; docs/cli.md says how to set prices.',
    )
    .action(async (campaign: string | undefined, flags: CommonFlags) => {
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
    });
}
