import type { ErrorCode } from '../../../src/domain/errors.js';
import type { TrialStatus } from '../../../src/domain/statuses.js';

/** What has to be seen before a message blames somebody. */
interface Blame {
  blamed: 'recipe' | 'task' | 'host' | 'evaluator' | 'person';
  said: `\`${ErrorCode | TrialStatus}\`${string}`;
  evidence: string;
  /** What is said, or done, where the evidence is missing. */
  without: string;
}

/** Rows of docs/errors.md on blame. */
export const BLAME: readonly Blame[] = [
  {
    blamed: 'recipe',
    said: '`train_budget_overrun`, in a check or smoke `preflight_crash`',
    evidence:
      'its run reached the limit on a host at 90 % or more of its usual speed; or twice, the second time after the host was slower than usual in the first. CPU seconds, load and speed of the host stand in the reason of a repeated overrun.',
    without:
      'it is run once more. Where the system does not tell how fast the host went, the reason says so.',
  },
  {
    blamed: 'recipe',
    said: '`eval_budget_overrun`',
    evidence:
      "its server owed an answer when the time was over, by the harness's own count of frames, and the same again once more where the host was slower than usual.",
    without: 'the evaluator is asked (below).',
  },
  {
    blamed: 'recipe',
    said: '`eval_budget_overrun`, projected before training',
    evidence: 'two rehearsals, each less what a slow host took from it, are more than 25 % over the limit.',
    without:
      'nothing is projected where the server was late on a slow host; training and the evaluation itself decide.',
  },
  {
    blamed: 'recipe',
    said: '`crash` while an artifact is sealed',
    evidence: 'a declared file is missing, or the artifact has none; the evaluator has not been run.',
    without: 'the evaluator is run on it.',
  },
  {
    blamed: 'recipe',
    said: '`crash` in the evaluation, because the evaluator failed',
    evidence: 'it failed three times on this artifact, and scores that of the start on the same host.',
    without: '`EVALUATOR_FAULT`, retried; then `EVALUATOR_BROKEN`.',
  },
  {
    blamed: 'recipe',
    said: '`crash` because its workers were lost',
    evidence: 'three workers died while they ran it, though others on those hosts went on.',
    without: 'it is tried again, and then waits for a person.',
  },
  {
    blamed: 'person',
    said: '`RECIPE_INVALID`',
    evidence:
      'the submitted folder itself breaks a rule that needs no run, or the campaign refused it in words.',
    without:
      '`START_RECIPE_FAILED`, `START_ON_BUSY_HOST` or `CAMPAIGN_ENDED`: the recipe was never measured.',
  },
  {
    blamed: 'task',
    said: '`START_RECIPE_FAILED`',
    evidence: "the task's own start recipe ended without a score, and not for lack of time on a slow host.",
    without: '`START_ON_BUSY_HOST`.',
  },
  {
    blamed: 'task',
    said: '`PREPARE_FAILED`',
    evidence: "the task's prepare program ended with an error.",
    without: '`HOST_FAULT` where it could not be started at all.',
  },
  {
    blamed: 'task',
    said: '`DATA_INVALID`',
    evidence:
      'the prepare program has just ended well, and its manifest is missing, malformed or does not fit what it left.',
    without: '`DATA_MISMATCH` where the data were whole before.',
  },
  {
    blamed: 'evaluator',
    said: '`EVALUATOR_BROKEN`',
    evidence: "it failed three times on an artifact, and on the start's on the same host as well.",
    without: 'the artifact is blamed (above).',
  },
  {
    blamed: 'host',
    said: '`START_ON_BUSY_HOST`',
    evidence: 'the start was out of time each time it was run, each time on a host slower than usual.',
    without: '`START_RECIPE_FAILED`.',
  },
  {
    blamed: 'host',
    said: '`HOST_FAULT`',
    evidence:
      'an operation of the harness itself failed: starting or killing a process, making folders, groups or images, a full disk; or the host lacks a path that the task names.',
    without: 'whatever the run then came to.',
  },
];
