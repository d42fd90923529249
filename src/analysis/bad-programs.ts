import { begunBy, error, said, shownBy, status, type BadInput } from './bad-input.js';

const LOAD = shownBy('test/tasks/load.test.ts');
const PATHS = shownBy('test/domain/paths.test.ts');
const SCORING = begunBy('test/sandbox/scoring.test.ts');
const RUN = begunBy('test/sandbox/run.test.ts');

/** An evaluator's own fault is tried 8 times; a trial that none of them could measure is no failure of its recipe. */
const UNMEASURED = [error('EVALUATOR_FAULT'), said('8 attempts'), status('cancelled')] as const;

const RECIPES: readonly BadInput[] = [
  {
    input: 'a recipe folder without a file that the task names as editable',
    noticed: '`assay submit`',
    gets: [error('RECIPE_INVALID')],
    reads: 'FOLDER has no train.py, which the task "NAME" runs',
    tested: LOAD,
  },
  {
    input: 'a recipe folder with a file over 4 MiB, or more than 500 files',
    noticed: '`assay submit`',
    gets: [error('RECIPE_INVALID')],
    reads: 'PATH has N bytes, over the limit of N',
    tested: LOAD,
  },
  {
    input: 'a recipe folder with a link or a special file',
    noticed: '`assay submit`',
    gets: [error('RECIPE_INVALID')],
    reads: 'PATH is not a regular file (links are not followed)',
    tested: LOAD,
  },
  {
    input:
      'an edit by an agent of `../x`, `/etc/x`, `a\\b`, `.git/x`, a name with invisible characters, or one that differs from another only in case',
    noticed: 'the editing tool',
    gets: [said('an answer to the agent, marked as an error; the workspace stays as it was')],
    reads: '"../x": the path has a ".." segment.',
    tested: PATHS,
  },
  {
    input: 'an edit by an agent of a file that the task does not let it change',
    noticed: 'the editing tool',
    gets: [said('an answer to the agent, marked as an error')],
    reads: '"PATH" may not be changed; you may change: …',
    tested: shownBy('test/domain/edits.test.ts'),
  },
  {
    input: 'a syntax error in the recipe, where the task has a check or a smoke run',
    noticed: 'prepare; no lease was taken',
    gets: [status('preflight_crash')],
    reads: 'check: exited with code 1, with the last lines of the log',
    tested: null,
  },
  {
    input: 'a syntax error in the recipe, where the task has neither',
    noticed: 'train',
    gets: [status('crash')],
    reads: 'train: exited with code 1, with the last lines of the log',
    tested: null,
  },
  {
    input: 'a recipe that never ends',
    noticed: 'the wall limit of the phase; every process of it is killed',
    gets: [status('train_budget_overrun'), said('in check or smoke: `preflight_crash`')],
    reads: 'wall limit: N of N s, N over',
    tested: RUN,
  },
  {
    input: 'a recipe that fills the disk',
    noticed: 'the watchdog (twice a second), the rlimit on files, and once more at the end',
    gets: [status('crash'), said('in check or smoke: `preflight_crash`')],
    reads: 'disk limit: N of N bytes, N over',
    tested: RUN,
  },
  {
    input: 'a recipe that prints a gigabyte',
    noticed: 'at 64 times the `log_kb` of the task; head and tail of the log are kept',
    gets: [status('crash'), said('in check or smoke: `preflight_crash`')],
    reads: 'output limit: N of N bytes, N over',
    tested: RUN,
  },
  {
    input: 'a recipe that starts too many processes or takes too much memory',
    noticed: 'the watchdog',
    gets: [status('crash'), said('in check or smoke: `preflight_crash`')],
    reads: 'processes limit: N of N processes, or: memory limit: N of N bytes',
    tested: RUN,
  },
  {
    input: 'links, devices or sparse files in the output folder',
    noticed: 'sealing',
    gets: [status('violation')],
    reads: 'seal: PATH: is a symbolic link',
    tested: begunBy('test/sandbox/seal.test.ts'),
  },
  {
    input: 'a served recipe that crashes or leaves during its evaluation',
    noticed: 'evaluate',
    gets: [status('crash')],
    reads: 'the server ended early: exited with code N',
    tested: SCORING,
  },
  {
    input: 'a served recipe that does not answer in time',
    noticed: 'evaluate',
    gets: [status('eval_budget_overrun')],
    reads: 'late: the server owed an answer when the N s of the evaluation were over',
    tested: SCORING,
  },
];

const EVALUATORS: readonly BadInput[] = [
  {
    input: 'an evaluator that crashes',
    noticed: 'evaluate',
    gets: UNMEASURED,
    reads: 'the evaluator of "NAME" failed: the evaluator exited with code N',
    tested: SCORING,
  },
  {
    input: 'an evaluator that hangs while the recipe owes it nothing',
    noticed: 'its wall limit',
    gets: UNMEASURED,
    reads: 'the evaluator of "NAME" failed: the evaluator exceeded its wall limit: N of N s',
    tested: SCORING,
  },
  {
    input: 'an evaluator that prints a score on stdout',
    noticed: 'never: only the result descriptor is read',
    gets: [said('nothing: the printed text is its log')],
    reads: '',
    tested: SCORING,
  },
  {
    input: 'an evaluator that writes rubbish, or two objects, on its result descriptor',
    noticed: 'evaluate',
    gets: UNMEASURED,
    reads: "the evaluator's result is not one JSON object: …",
    tested: SCORING,
  },
  {
    input: 'an evaluator that returns NaN (which is no JSON)',
    noticed: 'evaluate',
    gets: UNMEASURED,
    reads: "the evaluator's result is not one JSON object: …",
    tested: SCORING,
  },
  {
    input: 'an evaluator that returns `"0.1"`, null, a list or 1e999 for a metric',
    noticed: 'evaluate',
    gets: UNMEASURED,
    reads: "the evaluator's result is not assay.evaluation/1: …",
    tested: SCORING,
  },
  {
    input: 'an evaluator that returns nothing',
    noticed: 'evaluate',
    gets: UNMEASURED,
    reads: 'the evaluator wrote no result',
    tested: SCORING,
  },
  {
    input: 'an evaluator that leaves out the metric that decides',
    noticed: 'decide; not tried again',
    gets: [status('cancelled')],
    reads: 'ended before it was measured',
    tested: null,
  },
  {
    input: 'any of these at the start recipe',
    noticed: 'after the start was measured; the campaign fails',
    gets: [error('START_RECIPE_FAILED')],
    reads: 'the start recipe ended as cancelled: infrastructure: …',
    tested: null,
  },
];

/** Programs that do what they should not. */
export const BAD_PROGRAMS: readonly BadInput[] = [...RECIPES, ...EVALUATORS];
