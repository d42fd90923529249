import type { Command } from 'commander';
import { findTrial } from '../../analysis/read-models/find-trial.js';
import { trialRecord } from '../../analysis/read-models/trial-record.js';
import { withContext } from '../context.js';
import { renderRecord } from '../render/trial.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

interface Flags extends CommonFlags {
  campaign?: string;
}

export function register(program: Command): void {
  program
    .command('show')
    .description(
      'show everything about one trial: hypothesis, diff, score, failure, phases, isolation, decision',
    )
    .argument('<trial>', 'demo/t00007; or t00007 or 7, of --campaign or else of the latest campaign')
    .option('--campaign <name>', 'campaign of a trial given by number')
    .option('--json', 'print JSON: assay.trial/1')
    .addHelpText('before', 'Examples:\n  assay show demo/t00007\n  assay show 7 --campaign demo --json\n')
    .action(async (trial: string, flags: Flags) => {
      await withContext(['store'], async ({ lineage }) => {
        const { campaign, number, assumed } = await findTrial(lineage, trial, flags.campaign);
        const record = await trialRecord(lineage, campaign, number);
        if (flags.json === true) {
          printJson(record);
          return;
        }
        print(renderRecord(record));
        if (assumed) say(`\nof the latest campaign, ${campaign}`);
        const logged = record.replicates.some(({ phases }) => phases.length > 0) || record.failure !== null;
        if (logged) say(`\n\`assay log ${record.workflowId}\` prints its logs`);
      });
    });
}
