import type { LimitsAnswer } from '../../../activities/limits.js';
import { budgetModel } from '../../analysis/read-models/limits.js';
import type { LimitChange } from '../../domain/money/budget.js';
import { AssayError } from '../../domain/errors.js';
import { changeLimits } from '../use-cases/change-limits.js';
import { withContext } from '../context.js';
import { changeText, renderBudget } from '../render/budget.js';
import { onStdout } from '../render/paint.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

interface Flags extends CommonFlags {
  trials?: string;
  submissions?: string;
  hours?: string;
  hoursWithoutGain?: string;
  dollars?: string;
  acceleratorSeconds?: string;
}

export async function run(campaign: string, flags: Flags): Promise<void> {
  const change = changeOf(flags);
  await withContext(change === null ? ['store'] : ['temporal', 'store'], async (ground) => {
    const answer = change === null ? null : await changeLimits(ground, campaign, change);
    const model = await budgetModel(ground.lineage, campaign);
    if (flags.json === true) {
      printJson(answer === null ? model : { ...model, answer });
      return;
    }
    print(renderBudget(model, onStdout));
    if (answer !== null) say(`\n${cameOf(campaign, answer)}`);
  });
}

/** @throws AssayError USAGE */
function changeOf(flags: Flags): LimitChange | null {
  const change: LimitChange = {};
  const whole = { trials: flags.trials, submissions: flags.submissions };
  for (const [name, text] of Object.entries(whole))
    if (text !== undefined) Object.assign(change, { [name]: numberOf(name, text) });
  const { hours, hoursWithoutGain, dollars, acceleratorSeconds } = flags;
  for (const [name, text] of Object.entries({ hours, hoursWithoutGain, dollars, acceleratorSeconds }))
    if (text !== undefined) Object.assign(change, { [name]: text === 'none' ? null : numberOf(name, text) });
  return Object.keys(change).length === 0 ? null : change;
}

function numberOf(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value;
  const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new AssayError('USAGE', `--${flag} takes a number above 0, not "${text}"`);
}

function cameOf(campaign: string, { changed, goesOn, held }: LimitsAnswer): string {
  const what = changed.map(({ limit, from, to }) => changeText(limit, from, to)).join(', ');
  const then = goesOn ? '; it resumes' : held === null ? '' : `; it stays as it is: ${held}`;
  return `${campaign}: ${what === '' ? 'nothing to change' : what}${then}`;
}
