import { findTrial } from '../../analysis/read-models/find-trial.js';
import { trialRecord } from '../../analysis/read-models/trial-record.js';
import { withContext } from '../context.js';
import { renderRecord } from '../render/trial.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

interface Flags extends CommonFlags {
  campaign?: string;
}

export async function run(trial: string, flags: Flags): Promise<void> {
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
}
