import { error, shownBy } from './bad-input.js';

const BEFORE = 'before anything starts';
const FREEZE = 'first activity of the campaign: its workflow fails at once';
const PUSH = '`assay task push`, or where a folder is named as a task';
const SUBMIT = '`assay submit`';

const typed = shownBy('test/bad-input/commands.test.ts', {
  'task-unknown': [
    'a task that does not exist, with `assay start` or `assay submit`',
    BEFORE,
    error('TASK_UNKNOWN'),
    'there is no task "NAME"',
  ],
  'field-wrong': [
    'a malformed or unknown field of a campaign, with `assay start`: `--trials 0`, `-1`, `1e9`, a field "trails"',
    BEFORE,
    error('CAMPAIGN_INPUT'),
    'trials: must be …',
  ],
  'field-no-number': [
    '`--trials abc`, `--hours ""`',
    BEFORE,
    error('USAGE'),
    '--OTHER takes a number, not "WORD"',
  ],
  'field-unknown': ['an unknown field in `--input`', BEFORE, error('CAMPAIGN_INPUT'), 'unknown field "NAME"'],
  'input-no-object': [
    '`--input` that is no JSON object, or names a file that cannot be read',
    BEFORE,
    error('USAGE'),
    '--input…',
  ],
  'name-wrong': [
    'a campaign name with a slash or a blank, `..`, an empty one, or one over 64 long',
    BEFORE,
    error('CAMPAIGN_INPUT'),
    'the name "NAME" is not a name of letters, digits, dots, dashes and underscores, at most 64 long',
  ],
  'name-taken': [
    'a name that another campaign has had, with `assay start`',
    BEFORE,
    error('CAMPAIGN_NAME_TAKEN'),
    'the campaign name "NAME" is taken: that campaign is STATE',
  ],
  'flag-unknown': [
    'a flag or a command that does not exist',
    BEFORE,
    error('USAGE'),
    "unknown option '--NAME'…",
  ],
  'campaign-unknown': [
    'a campaign or a trial that does not exist, with any reading or controlling command',
    'looking for it',
    error('CAMPAIGN_UNKNOWN'),
    'there is no campaign "NAME" in this store',
  ],
  'history-none': [
    'a history file that is none, for `assay replay`',
    'reading it',
    error('HISTORY_INVALID'),
    'this is no history of a workflow: …',
  ],
});

const started = shownBy('test/workflows/campaign.test.ts', {
  'client-task-unknown': [
    'a task that does not exist, with the Temporal CLI or a client',
    FREEZE,
    error('TASK_UNKNOWN'),
    'there is no task "NAME"…',
  ],
  'client-field-wrong': [
    'a malformed or unknown field with the Temporal CLI or a client',
    FREEZE,
    error('CAMPAIGN_INPUT'),
    "the campaign's input is wrong: …",
  ],
  'client-specialist-unknown': [
    'a specialist that the task does not have',
    FREEZE,
    error('CAMPAIGN_INPUT'),
    'specialists: the task "NAME" has no specialist "NAME"; it has …',
  ],
  'client-no-price': [
    'a dollar budget for a model without a known price',
    FREEZE,
    error('CAMPAIGN_INPUT'),
    'a dollar budget needs a price, and none is known for the model "NAME"…',
  ],
  'client-name-taken': [
    'a name that another campaign has had, with the Temporal CLI or a client',
    FREEZE,
    error('CAMPAIGN_NAME_TAKEN'),
    'the campaign name "NAME" was used on DATE and is STATE. …',
  ],
});

const folders = shownBy('test/bad-input/folders.test.ts', {
  'task-field': [
    '`task.yaml` with a wrong, unknown or missing field',
    PUSH,
    error('TASK_INVALID'),
    'FILE:N:N: FIELD: …',
  ],
  'task-no-yaml': [
    '`task.yaml` that is no YAML, repeats a key, or nests too deeply',
    PUSH,
    error('TASK_INVALID'),
    'FILE:N:N: …',
  ],
  'task-bomb': [
    '`task.yaml` whose aliases multiply',
    PUSH,
    error('TASK_INVALID'),
    'FILE:1:1: not usable as YAML: …',
  ],
  'task-huge': [
    '`task.yaml` over 256 KiB, or a file of the task over 16 MiB',
    PUSH,
    error('TASK_INVALID'),
    'PATH has N bytes, over the limit of N',
  ],
  'task-encoding': [
    '`task.yaml` that is not UTF-8',
    PUSH,
    error('TASK_INVALID'),
    'FILE:1:1: the file is not UTF-8',
  ],
  'task-link': [
    'a task folder with a link, also as its `task.yaml`, or with a pipe',
    PUSH,
    error('TASK_INVALID'),
    'PATH is not a regular file (links are not followed)',
  ],
  'task-file-missing': [
    'a task folder without a file that its `task.yaml` names',
    PUSH,
    error('TASK_INVALID'),
    'FILE: the task names PATH, which is not in the folder',
  ],
  'task-uncounted': [
    '`task.yaml` with a gate, a guard or a score on size (`bytes`, `code_bytes`), where an editable file is not counted',
    PUSH,
    error('TASK_INVALID'),
    'FILE:N:N: recipe.counted: "…" may be edited and is not counted, so it could carry what the limit of size is about; count it as well',
  ],
  'task-no-folder': [
    'a folder without a `task.yaml`',
    PUSH,
    error('TASK_UNKNOWN'),
    'FOLDER has no task.yaml',
  ],
  'recipe-no-entry': [
    'a recipe folder without a file that the task names as editable, an empty one too',
    SUBMIT,
    error('RECIPE_INVALID'),
    'FOLDER: the recipe has no FILE, which the task "NAME" runs',
  ],
  'recipe-huge': [
    'a recipe folder with a file over 16 MiB, as of a task',
    SUBMIT,
    error('RECIPE_INVALID'),
    'PATH has N bytes, over the limit of N',
  ],
  'recipe-many': [
    'a recipe folder with more than 2,000 files, as of a task',
    SUBMIT,
    error('RECIPE_INVALID'),
    'the folder has more than N files',
  ],
  'recipe-link': [
    'a recipe folder with a link, a pipe or a device',
    SUBMIT,
    error('RECIPE_INVALID'),
    'PATH is not a regular file (links are not followed)',
  ],
  'recipe-unreadable': [
    'a recipe folder with a file that may not be read',
    SUBMIT,
    error('RECIPE_INVALID'),
    'PATH cannot be read: …',
  ],
  'recipe-name': [
    'a recipe folder with a name that an agent may not write: a backslash, an invisible character, another spelling of a present name',
    SUBMIT,
    error('RECIPE_INVALID'),
    'FOLDER: "PATH": …',
  ],
  'recipe-encoding': [
    'a recipe folder with a name that is not UTF-8',
    SUBMIT,
    error('RECIPE_INVALID'),
    'PATH: the name of the file is not UTF-8',
  ],
  'recipe-no-folder': [
    'a recipe folder that is not there, or is a file',
    SUBMIT,
    error('RECIPE_INVALID'),
    'FOLDER is not a folder',
  ],
});

const submitted = shownBy('test/bad-input/submissions.test.ts', {
  'recipe-fixed': [
    'a recipe folder in which a file that may not be edited is changed, missing or added',
    `${SUBMIT}, before anything starts`,
    error('RECIPE_INVALID'),
    'FOLDER: only … may differ from the start of the task "NAME": …',
  ],
  'client-recipe-fixed': [
    'the same as the `submission` of a campaign, with the Temporal CLI or a client',
    FREEZE,
    error('RECIPE_INVALID'),
    'only … may differ from the start of the task "NAME": …',
  ],
  'client-recipe-name': [
    'stored files with names that no agent may use as a `submission`',
    FREEZE,
    error('RECIPE_INVALID'),
    '"PATH": …',
  ],
  'client-recipe-unknown': [
    'a `submission` whose files are not in the store',
    FREEZE,
    error('RECIPE_INVALID'),
    'the files of the submission are not in the store…',
  ],
});

/** Input that people type, and the folders they bring. */
export const BAD_REQUESTS = { ...typed, ...started, ...folders, ...submitted };
