import { LOGGED_PHASES } from '../../domain/trial/logged-phases.js';
import { findTrial } from '../../analysis/read-models/find-trial.js';
import { logModel, type PhaseLog } from '../../analysis/read-models/logs.js';
import { withContext } from '../context.js';
import { oneOf } from '../terminal/parsing.js';
import { bytes, duration } from '../render/numbers.js';
import { onStderr } from '../render/paint.js';
import { clean } from '../render/text.js';
import { printJson, say, type CommonFlags } from '../terminal/terminal.js';

interface Flags extends CommonFlags {
  campaign?: string;
  phase?: string;
}

export async function run(trial: string, flags: Flags): Promise<void> {
  const phase = flags.phase === undefined ? undefined : oneOf('--phase', flags.phase, LOGGED_PHASES);
  await withContext(['store'], async ({ lineage }) => {
    const { campaign, number } = await findTrial(lineage, trial, flags.campaign);
    const model = await logModel(lineage, campaign, number, phase);
    if (flags.json === true) {
      printJson(model);
      return;
    }
    for (const log of model.logs) printLog(log);
  });
}

/** A terminal gets harmless text, a file or a pipe the text as it was written. */
function printLog({ phase, purpose, replicate, wallMs, writtenBytes, text, reusedFrom }: PhaseLog): void {
  const kept = Buffer.byteLength(text);
  const shortened = writtenBytes > kept ? `, the last ${bytes(kept)} kept` : '';
  const title = `== ${phase}, ${purpose === 'claim' ? 'fresh run' : 'replicate'} ${replicate}: ${reusedFrom === null ? '' : `taken from trial ${reusedFrom}, `}${duration(wallMs)}, ${bytes(writtenBytes)} written${shortened}`;
  say(onStderr('bold', title));
  const shown = process.stdout.isTTY ? clean(text) : text;
  process.stdout.write(shown === '' || shown.endsWith('\n') ? shown : `${shown}\n`);
}
