import { findTrial } from '../../analysis/read-models/find-trial.js';
import { trialDiff, type DiffSide } from '../../analysis/read-models/trial-diff.js';
import { withContext } from '../context.js';
import { renderDiff } from '../render/diff.js';
import { score } from '../render/numbers.js';
import { wantsColour } from '../render/paint.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

interface Flags extends CommonFlags {
  campaign?: string;
}

export async function run(before: string, after: string, flags: Flags): Promise<void> {
  await withContext(['store'], async ({ lineage }) => {
    const [a, b] = [
      await findTrial(lineage, before, flags.campaign),
      await findTrial(lineage, after, flags.campaign),
    ];
    const model = await trialDiff(lineage, a, b);
    if (flags.json === true) {
      printJson(model);
      return;
    }
    say(`before: ${sideText(model.before)}\nafter:  ${sideText(model.after)}\n`);
    if (model.diff === '') say('both are the same recipe');
    else print(renderDiff(model.diff, wantsColour(process.stdout)));
  });
}

const sideText = ({ trial, role, status, score: value }: DiffSide): string =>
  [trial, role, status ?? 'running', value === null ? null : score(value)]
    .filter((part) => part !== null)
    .join(', ');
