import { begunBy, error, said, shownBy, type BadInput } from './bad-input.js';

const CAMPAIGN = shownBy('test/workflows/campaign.test.ts');
const LOAD = shownBy('test/tasks/load.test.ts');
const CLIENT = begunBy('test/model/client.test.ts');

const ASKED: readonly BadInput[] = [
  {
    input: 'a task that does not exist, with `assay start` or `assay submit`',
    noticed: 'before anything starts',
    gets: [error('TASK_UNKNOWN')],
    reads: 'there is no task "NAME"',
    tested: null,
  },
  {
    input: 'a task that does not exist, with the Temporal CLI or a client',
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
    tested: shownBy('test/cli/replay.test.ts'),
  },
];

const SERVICES: readonly BadInput[] = [
  {
    input: 'the store is down: a command',
    noticed: 'before anything else',
    gets: [error('STORE_UNAVAILABLE')],
    reads: 'ASSAY_MONGODB_URL is set, but the store does not answer: …',
    tested: shownBy('test/cli/commands.test.ts'),
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
    tested: shownBy('test/dev/servers.test.ts'),
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

/** What people ask for that cannot be, and services that are not there. */
export const BAD_REQUESTS: readonly BadInput[] = [...ASKED, ...SERVICES];
