import type { ErrorCode } from '../domain/errors.js';
import type { TrialStatus } from '../domain/statuses.js';

/** What an input comes to: an error of the registry, a status of a trial, or a plain answer. */
type Gets = { error: ErrorCode } | { status: TrialStatus } | { words: string };

/** One kind of input that is wrong. */
export interface BadInput {
  input: string;
  /** The step that notices it first. */
  noticed: string;
  /** In the order in which they happen. */
  gets: readonly Gets[];
  /** How it reads; N stands for numbers, NAME for names. */
  reads: string;
  /** The test that shows it; null where it was only read from the code. */
  tested: string | null;
}

const error = (code: ErrorCode): Gets => ({ error: code });
const status = (ended: TrialStatus): Gets => ({ status: ended });
const said = (words: string): Gets => ({ words });

const CAMPAIGN = 'test/workflows/campaign.test.ts';
const LOAD = 'test/tasks/load.test.ts';
const PATHS = 'test/domain/paths.test.ts';
const CLIENT = 'test/model/client.test.ts';
const SCORING = 'test/sandbox/scoring.test.ts';
const RUN = 'test/sandbox/run.test.ts';

/** An evaluator's own fault is tried 8 times; a trial that none of them could measure is no failure of its recipe. */
const UNMEASURED = [error('EVALUATOR_FAULT'), said('8 attempts'), status('cancelled')] as const;

const ASKED: readonly BadInput[] = [
  {
    input: 'a task that does not exist, with `assay submit`',
    noticed: 'before anything starts',
    gets: [error('TASK_UNKNOWN')],
    reads: 'there is no task "NAME"',
    tested: null,
  },
  {
    input: 'a task that does not exist, with `assay start` or the Temporal CLI',
    noticed: 'first activity of the campaign: its workflow fails at once',
    gets: [error('TASK_UNKNOWN')],
    reads: 'there is no task "NAME". `assay task list` shows the tasks; …',
    tested: CAMPAIGN,
  },
  {
    input: 'a malformed or unknown field of a campaign, with `assay start`',
    noticed: 'before anything starts',
    gets: [error('CAMPAIGN_INPUT')],
    reads: 'unknown field "trails", or: trials: Too small: expected number to be >0',
    tested: null,
  },
  {
    input: 'the same with the Temporal CLI or a client',
    noticed: 'first activity of the campaign: its workflow fails at once',
    gets: [error('CAMPAIGN_INPUT')],
    reads: 'the campaign\'s input is wrong: unknown field "trails"',
    tested: CAMPAIGN,
  },
  {
    input: 'a specialist that the task does not have',
    noticed: 'first activity of the campaign',
    gets: [error('CAMPAIGN_INPUT')],
    reads: 'specialists: the task "NAME" has no specialist "NAME"; it has …',
    tested: CAMPAIGN,
  },
  {
    input: 'a dollar budget for a model without a known price',
    noticed: 'first activity of the campaign',
    gets: [error('CAMPAIGN_INPUT')],
    reads: 'a dollar budget needs a price, and none is known for the model "NAME"',
    tested: CAMPAIGN,
  },
  {
    input: 'a name that another campaign has had',
    noticed: 'before anything starts, or in the first activity',
    gets: [error('CAMPAIGN_NAME_TAKEN')],
    reads: 'the campaign name "NAME" was used on DATE and is finished',
    tested: CAMPAIGN,
  },
  {
    input: '`task.yaml` with a wrong, unknown or missing field',
    noticed: '`assay task push`, or where a folder is named as a task',
    gets: [error('TASK_INVALID')],
    reads: 'FILE:15:16: phases.train.timeout_s: …',
    tested: LOAD,
  },
  {
    input: 'a task folder without a file that its `task.yaml` names',
    noticed: '`assay task push`, or where a folder is named as a task',
    gets: [error('TASK_INVALID')],
    reads: 'FILE: the task names PATH, which is not in the folder',
    tested: null,
  },
  {
    input: 'a history file that is none, for `assay replay`',
    noticed: 'reading it',
    gets: [error('HISTORY_INVALID')],
    reads: 'this is no history of a workflow: …',
    tested: 'test/cli/replay.test.ts',
  },
];

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
    tested: 'test/domain/edits.test.ts',
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
    tested: 'test/sandbox/seal.test.ts',
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

const SERVICES: readonly BadInput[] = [
  {
    input: 'the store is down: a command',
    noticed: 'before anything else',
    gets: [error('STORE_UNAVAILABLE')],
    reads: 'ASSAY_MONGODB_URL is set, but the store does not answer: …',
    tested: 'test/cli/commands.test.ts',
  },
  {
    input: 'the store goes down under a worker',
    noticed: 'every activity',
    gets: [said('activities are tried again; what was computed waits in memory until it can be written')],
    reads: 'the message of the driver, in the Temporal UI',
    tested: null,
  },
  {
    input: 'a store older than MongoDB 4.4',
    noticed: 'before anything else',
    gets: [error('STORE_UNAVAILABLE')],
    reads:
      'ASSAY_MONGODB_URL is set, but MongoDB N is older than 4.4; a driver may refuse it before that in its own words',
    tested: null,
  },
  {
    input: 'a database that another version of assay wrote',
    noticed: 'opening it',
    gets: [error('STORE_SCHEMA')],
    reads: 'the database "NAME" has schema N, this assay writes N',
    tested: null,
  },
  {
    input: 'a store that needs a login, with a wrong one',
    noticed: 'before anything else',
    gets: [error('STORE_UNAVAILABLE')],
    reads: 'ASSAY_MONGODB_URL is set, but the store does not answer: Authentication failed.',
    tested: null,
  },
  {
    input: 'a store that needs a login, with none',
    noticed: 'opening the database: the sign of life needs no login',
    gets: [error('STORE_UNREACHABLE')],
    reads: 'the store does not answer: Command insert requires authentication',
    tested: null,
  },
  {
    input: 'Temporal is down: a command',
    noticed: 'before anything else',
    gets: [error('TEMPORAL_UNAVAILABLE')],
    reads: 'TEMPORAL_ADDRESS is set, but nothing answers at ADDRESS: …',
    tested: 'test/dev/servers.test.ts',
  },
  {
    input: 'a namespace that the Temporal server does not have',
    noticed: 'before anything else',
    gets: [error('TEMPORAL_UNAVAILABLE')],
    reads: 'TEMPORAL_ADDRESS is set, but no namespace "NAME" at ADDRESS: …',
    tested: null,
  },
  {
    input: 'no API key for a model that needs one',
    noticed: 'first turn; a campaign of which every lane ends so is blocked',
    gets: [error('MODEL_KEY_MISSING'), said('campaign `blocked`')],
    reads: 'every lane failed: the model "NAME" needs a key, and this worker has none. …',
    tested: null,
  },
  {
    input: 'a wrong API key (401, 403)',
    noticed: 'first turn; nothing is charged to the budget',
    gets: [error('MODEL_REQUEST_REFUSED'), said('campaign `blocked`')],
    reads: 'The model endpoint answered 401: WORDS OF THE PROVIDER; the key never appears',
    tested: CLIENT,
  },
  {
    input: 'a model that the provider does not know (404)',
    noticed: 'first turn',
    gets: [error('MODEL_REQUEST_REFUSED'), said('campaign `blocked`')],
    reads: 'The model endpoint answered 404: WORDS OF THE PROVIDER',
    tested: CLIENT,
  },
  {
    input: 'an exhausted quota that the provider calls a rate limit (429)',
    noticed: 'the turn that meets it',
    gets: [
      error('MODEL_OVERLOADED'),
      said('waited out as long as the provider asks, an hour at most a time; no end'),
    ],
    reads: 'The model endpoint answered 429: WORDS OF THE PROVIDER',
    tested: CLIENT,
  },
  {
    input: 'an exhausted quota that the provider calls a refused request (400, 402, 403)',
    noticed: 'the turn that meets it',
    gets: [error('MODEL_REQUEST_REFUSED'), said('campaign `blocked`')],
    reads: 'The model endpoint answered 400: WORDS OF THE PROVIDER',
    tested: CLIENT,
  },
];

/** What comes of input that is wrong, for docs/errors.md. A row without a test was read from the code. */
export const BAD_INPUTS: readonly BadInput[] = [...ASKED, ...RECIPES, ...EVALUATORS, ...SERVICES];
