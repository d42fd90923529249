import { rebaseAnswer } from '../../model/answers.js';
import { refused, type Answer, type CallContext } from './answer.js';

/** Puts the files of a trial in place of the workspace. */
export async function rebase(context: CallContext, number: number): Promise<Answer> {
  const trial = await context.trials.get(number);
  if (trial === null) return refused(context, `There is no trial ${number}.`);
  return {
    text: rebaseAnswer(number),
    isError: false,
    workspace: { snapshot: trial.snapshot, base: number },
  };
}
