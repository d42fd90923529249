import { trialsModel } from '../../analysis/read-models/trials.js';
import { AssayError } from '../../domain/errors.js';
import { parseTrialRef } from '../../domain/keys.js';
import { TRIAL_STATUSES } from '../../domain/trial/trial-statuses.js';
import { withContext } from '../context.js';
import { anyNumber, oneOf, wholeNumber } from '../terminal/parsing.js';
import { onStdout } from '../render/paint.js';
import { renderTrials } from '../render/trials.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

interface Flags extends CommonFlags {
  status?: string;
  role?: string;
  parent?: string;
  scoreFrom?: string;
  scoreTo?: string;
  text?: string;
  limit: string;
  best?: boolean;
}

const WORDS = [...TRIAL_STATUSES, 'running'] as const;
/** Width of a row besides its hypothesis. */
const OTHER_COLUMNS = 84;

export async function run(campaign: string, flags: Flags): Promise<void> {
  const filter = {
    status: flags.status === undefined ? undefined : oneOf('--status', flags.status, WORDS),
    role: flags.role,
    parent: flags.parent === undefined ? undefined : parentNumber(flags.parent, campaign),
    scoreFrom: flags.scoreFrom === undefined ? undefined : anyNumber('--score-from', flags.scoreFrom),
    scoreTo: flags.scoreTo === undefined ? undefined : anyNumber('--score-to', flags.scoreTo),
    text: flags.text,
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
}

function parentNumber(text: string, campaign: string): number {
  const parsed = parseTrialRef(text);
  if (parsed !== null && [null, campaign].includes(parsed.campaign)) return parsed.number;
  throw new AssayError('USAGE', `--parent takes a trial of ${campaign}, such as 12 or t00012, not "${text}"`);
}
