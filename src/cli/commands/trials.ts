import type { Command } from 'commander';
import { trialsModel } from '../../analysis/read-models/trials.js';
import { TRIAL_STATUSES } from '../../domain/statuses.js';
import { withContext } from '../context.js';
import { oneOf, wholeNumber } from '../terminal/parsing.js';
import { onStdout } from '../render/paint.js';
import { renderTrials } from '../render/trials.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

interface Flags extends CommonFlags {
  status?: string;
  role?: string;
  limit: string;
  best?: boolean;
}

const WORDS = [...TRIAL_STATUSES, 'running'] as const;
/** Width of a row besides its hypothesis. */
const OTHER_COLUMNS = 84;

export function register(program: Command): void {
  program
    .command('trials')
    .description('list the trials of a campaign, newest first')
    .argument('<campaign>', 'name of the campaign')
    .option('--status <status>', `only this status: ${WORDS.join(', ')}`)
    .option('--role <role>', 'only the trials of this specialist')
    .option('--limit <n>', 'at most this many', '50')
    .option('--best', 'best first, of the measured trials that met every gate (at most 20)')
    .option('--json', 'print JSON: assay.trials/1')
    .addHelpText(
      'before',
      'Examples:\n  assay trials demo\n  assay trials demo --best --limit 5\n  assay trials demo --status crash --role arch\n',
    )
    .action(async (campaign: string, flags: Flags) => {
      const filter = {
        status: flags.status === undefined ? undefined : oneOf('--status', flags.status, WORDS),
        role: flags.role,
        limit: wholeNumber('--limit', flags.limit, { min: 1, max: 10_000 }),
        best: flags.best === true,
      };
      await withContext(['store'], async ({ lineage }) => {
        const model = await trialsModel(lineage, campaign, filter);
        if (flags.json === true) {
          printJson(model);
          return;
        }
        const width = process.stdout.isTTY ? Math.max(24, process.stdout.columns - OTHER_COLUMNS) : undefined;
        print(
          renderTrials(model.trials, model.metric, {
            paint: onStdout,
            ...(width === undefined ? {} : { width }),
          }),
        );
        say(`\n${model.remark}`);
        if (model.searchedDownTo > 0) say(`trials below number ${model.searchedDownTo} were not looked at`);
        const [first] = model.trials;
        if (first !== undefined) say(`\`assay show ${campaign}/${first.trial}\` shows one`);
      });
    });
}
