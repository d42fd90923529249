/** Seconds for which the first server of a served evaluation owed answers: a metric that assay measures. */
export const EVALUATION_S = 'eval_s';

/** Returns why a task may not name `eval_s` as it does, or null. `named`: the metrics of its score, gates and guards. */
export function evaluationTimeIssue(task: {
  scoring: 'direct' | 'served';
  decides: string;
  named: readonly string[];
}): string | null {
  if (!task.named.includes(EVALUATION_S)) return null;
  if (task.scoring === 'direct')
    return `"${EVALUATION_S}" is the time that a server owes its evaluator, and scoring is direct: name a metric of the evaluator`;
  if (task.decides === EVALUATION_S)
    return `seconds of different moments are not compared: "${EVALUATION_S}" may be limited by a gate, not decide`;
  return null;
}
