import type { BestModel } from '../../analysis/read-models/best.js';
import { markedName } from '../../domain/task/marked-name.js';
import { trainBudget } from '../../domain/task/phase-clock.js';
import { recipeEnvironment } from '../../domain/task/phase-environment.js';
import { referenceOf } from '../../domain/task/profiles.js';
import { besideScore } from './estimate.js';
import { bytes, score, signed, withUnit } from './numbers.js';
import { gateText } from './trial.js';
import { shellWord } from './shell-word.js';
import { clean, oneLine, plural } from './text.js';

/** The README.md of a folder with the best of a campaign. */
export function bestReadme(best: BestModel, outOfReach: string | null): string {
  const { trial, task, record } = best;
  return [
    `# ${trial}`,
    `The best recipe that campaign \`${record.campaign}\` found for task \`${task.name}\` (${oneLine(task.title)}), written by assay.`,
    '## What it is',
    whatItIs(best),
    '## What is claimed',
    claimed(best),
    '## How to run it',
    howToRun(best),
    '## Files',
    filesOf(best, outOfReach),
    '',
  ].join('\n\n');
}

function whatItIs({ trial, record, diffToStart }: BestModel): string {
  const start =
    diffToStart === '' ? '\n\nIt is the start of the task itself: nothing better was adopted.' : '';
  const row = (name: string, value: string): string => `| ${name} | ${value.replaceAll('|', '\\|')} |`;
  const rows = [
    row('trial', `\`${trial}\`, proposed by ${record.role}`),
    row('hypothesis', oneLine(record.hypothesis)),
    row('adopted because', oneLine(record.lesson)),
    row('recipe', `snapshot \`${record.snapshot}\``),
    row(
      'task',
      `\`${referenceOf(record.task.name, record.task.profile ?? null)}\`, digest \`${record.task.digest}\``,
    ),
    ...record.margins.map((margin) => row(`gate ${margin.gate}`, gateText(margin))),
  ];
  return `| | |\n| --- | --- |\n${rows.join('\n')}${start}`;
}

function claimed({ record, startScore, remark }: BestModel): string {
  const { metric, estimate } = record;
  const beside = besideScore(estimate, metric);
  const gain = record.score === null || startScore === null ? null : record.score - startScore;
  const measured = `Measured in the search: ${markedName(metric)} ${withUnit(score(record.score), metric)} (${metric.direction})${beside === '' ? '' : `, ${beside}`}; the start scored ${withUnit(score(startScore), metric)}${gain === null || gain === 0 ? '' : `, a difference of ${signed(gain)}`}.`;
  return `${clean(remark.slice(0, 1).toUpperCase() + remark.slice(1))}.\n\n${measured} A score of the search was selected by the search; only what is claimed was measured afresh.`;
}

function howToRun({ task, record }: BestModel): string {
  const { train, pack } = task.phases;
  const budget = trainBudget(task, null);
  const lines = [
    'cd recipe',
    'mkdir -p ../out',
    ...Object.entries(recipeEnvironment(task)).map(([name, value]) => `export ${name}=${shellWord(value)}`),
    `export ASSAY_SEED=1 ASSAY_TRAIN_SECONDS=${budget} ASSAY_OUTPUT=$PWD/../out`,
    ...(task.data === undefined ? [] : ['export ASSAY_DATA=/path/to/training/data']),
    train.run,
    ...(pack === undefined
      ? []
      : [
          'mkdir -p ../packed',
          `ASSAY_INPUT=$PWD/../out ASSAY_OUTPUT=$PWD/../packed sh -c ${shellWord(pack.run)}`,
        ]),
  ];
  const again = `assay submit --task ${record.task.digest} --recipe ./recipe --hypothesis "measured once more" --wait`;
  return `By hand, as its training ran:\n\n\`\`\`sh\n${lines.join('\n')}\n\`\`\`\n\nMeasured by assay, in the sandbox and with the evaluator of its task (in the clone whose store has the task):\n\n\`\`\`sh\n${again}\n\`\`\``;
}

function filesOf({ recipe, artifact, diffToStart }: BestModel, outOfReach: string | null): string {
  const lines = [
    `- \`recipe/\`: ${plural(recipe.length, 'file')}`,
    ...(diffToStart === '' ? [] : ['- `changes.diff`: what differs from the start']),
    artifact === null
      ? '- no artifact: none of its runs left one that is stored'
      : outOfReach !== null
        ? `- no artifact: ${outOfReach}`
        : `- \`artifact/\`: what the training of replicate ${artifact.replicate} left, ${bytes(artifact.bytes)}, sealed as \`${artifact.digest}\``,
  ];
  return lines.join('\n');
}
