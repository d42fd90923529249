/** The party that has to act before the same thing can work. */
export type Actor = 'user' | 'environment' | 'transient' | 'bug';

/**
 * Retries of an activity by Temporal: `endless` for what passes by itself, however long that takes; `bounded` for
 * what may be one host's trouble, and needs a person if it does not pass.
 */
export type Retry = false | 'bounded' | 'endless';

interface ErrorEntry {
  who: Actor;
  /** Exit code of the CLI: 1 failed, 2 usage, 3 environment, 4 budget. */
  exit: 1 | 2 | 3 | 4;
  retry: Retry;
  /** The reader's next step; one sentence. */
  remedy: string;
}

const entry = (
  who: Actor,
  exit: ErrorEntry['exit'],
  retry: ErrorEntry['retry'],
  remedy: string,
): ErrorEntry => ({ who, exit, retry, remedy });

/** Every error assay raises on purpose, once. docs/errors.md is written from this table. */
export const ERRORS = {
  // what a person typed
  USAGE: entry('user', 2, false, 'Run the command with --help.'),
  CAMPAIGN_INPUT: entry('user', 2, false, 'Correct the field; `assay start --help` lists them all.'),
  CAMPAIGN_NAME_TAKEN: entry('user', 2, false, 'Choose another name; the old campaign is kept as it is.'),
  CAMPAIGN_UNKNOWN: entry('user', 2, false, '`assay status` lists the campaigns of this store.'),
  CAMPAIGN_ENDED: entry('user', 2, false, 'Start another one; `assay start --help` shows how.'),
  CAMPAIGN_ELSEWHERE: entry(
    'user',
    2,
    false,
    'Name the server that it was started on in TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE; if that is gone for good, `assay reconcile CAMPAIGN --server-gone` settles what it left.',
  ),
  CAMPAIGN_BLOCKED: entry(
    'user',
    1,
    false,
    'Fix the cause, then run `assay resume CAMPAIGN`; its trials wait until then.',
  ),
  BUDGET_EXHAUSTED: entry(
    'user',
    4,
    false,
    'Raise the budget with `assay budget CAMPAIGN`; the campaign then continues by itself.',
  ),
  LOG_MISSING: entry(
    'user',
    1,
    false,
    '`assay show TRIAL` shows which phases ran; a log is stored when its phase has ended.',
  ),
  ARTIFACT_MISSING: entry(
    'user',
    1,
    false,
    '`assay show TRIAL` shows what was measured; the artifact of a run that failed or missed a gate is not stored.',
  ),
  ARTIFACT_ON_HOST: entry(
    'user',
    1,
    false,
    'Run the command on that host, with the ASSAY_HOME of its workers.',
  ),
  ARTIFACT_GONE: entry(
    'user',
    1,
    false,
    'Its scores stay valid; `assay submit` with the recipe that `assay checkout TRIAL DIR` writes trains it again.',
  ),
  TRIAL_ENDED: entry('user', 2, false, '`assay show TRIAL` shows its result.'),
  TRIAL_PARKED: entry(
    'user',
    1,
    false,
    'Check what it does to its workers (memory first); `assay resume TRIAL` retries it, `assay cancel TRIAL` ends it.',
  ),
  TRIAL_NOT_PARKED: entry(
    'user',
    2,
    false,
    '`assay status CAMPAIGN` lists the trials that wait for a person.',
  ),
  TRIAL_UNKNOWN: entry('user', 2, false, '`assay trials CAMPAIGN` lists its trials.'),
  SESSION_UNKNOWN: entry('user', 2, false, '`assay session CAMPAIGN` lists its sessions.'),
  FOLDER_TAKEN: entry('user', 2, false, 'Name a folder that is empty or not there yet.'),
  TASK_UNKNOWN: entry(
    'user',
    2,
    false,
    '`assay task list` shows the tasks; `assay task push DIR` adds yours.',
  ),
  TASK_INVALID: entry('user', 2, false, 'Correct task.yaml, or the file that is named, at the place shown.'),
  PROFILE_UNKNOWN: entry('user', 2, false, 'Name one of the profiles that the message lists, or none.'),
  SOURCE_INVALID: entry(
    'user',
    2,
    false,
    'Correct `source` in task.yaml, or its patch; `assay task source DIR --into FOLDER` writes what it brings.',
  ),
  DATA_INVALID: entry(
    'user',
    1,
    false,
    "Correct the task's preparation (`assay task check DIR` runs it), then start another campaign.",
  ),
  HISTORY_UNKNOWN: entry(
    'user',
    2,
    false,
    '`assay status` and `assay trials CAMPAIGN` list what exists; servers delete the histories of what ended long ago.',
  ),
  HISTORY_INVALID: entry(
    'user',
    2,
    false,
    'Give a file that `temporal workflow show --workflow-id ID --output json` wrote.',
  ),
  GIT_FAILED: entry('user', 2, false, 'Install git, or export without --git.'),
  CAMPAIGN_RUNNING: entry('user', 2, false, 'Wait for its end, or end it with `assay stop`.'),
  ARCHIVE_INVALID: entry(
    'user',
    2,
    false,
    'Name a folder with a results.tsv; docs/reports.md says how a file columns.yaml tells what its columns are.',
  ),
  PRICES_INVALID: entry('user', 2, false, 'Correct the price file: dollars per million tokens, by model id.'),
  RECIPE_INVALID: entry('user', 2, false, 'Correct the recipe folder and submit it again.'),
  START_RECIPE_FAILED: entry(
    'user',
    1,
    false,
    'Fix the start recipe: a search needs a start that can be measured.',
  ),
  PREPARE_FAILED: entry(
    'user',
    1,
    'bounded',
    "Read the end of its output and fix the task's prepare program, or what it needs on that host (network, disk).",
  ),
  START_ON_BUSY_HOST: entry(
    'environment',
    3,
    false,
    'Free that host of other work, or give the phase more time in task.yaml, and start the campaign again.',
  ),
  // what this machine lacks
  TEMPORAL_UNAVAILABLE: entry(
    'environment',
    3,
    false,
    '`assay doctor` shows what was tried and what to install.',
  ),
  STORE_UNAVAILABLE: entry(
    'environment',
    3,
    false,
    '`assay doctor` shows what was tried and what to install.',
  ),
  STORE_SCHEMA: entry(
    'environment',
    3,
    false,
    'Use the assay version that wrote this store, or another database name.',
  ),
  SOURCE_UNAVAILABLE: entry(
    'environment',
    3,
    'bounded',
    'Connect this host to the network, or put a copy of the repository into the folder that ASSAY_MIRROR names.',
  ),
  PYTHON_UNAVAILABLE: entry(
    'environment',
    3,
    'bounded',
    '`assay doctor` says which Python is used and what it lacks; activate or install another, or name it in ASSAY_PYTHON.',
  ),
  DISK_FULL: entry(
    'environment',
    3,
    false,
    'Free some disk space, or set ASSAY_HOME to a folder on another disk.',
  ),
  PLATFORM_UNSUPPORTED: entry('environment', 3, false, 'Use Linux, macOS or WSL2.'),
  MODEL_KEY_MISSING: entry(
    'environment',
    3,
    false,
    'Set ANTHROPIC_API_KEY for the model worker, or choose the offline proposer.',
  ),
  DATA_MISMATCH: entry(
    'environment',
    3,
    'bounded',
    "Remove this task's prepared data on that host; it is then prepared again.",
  ),
  // what passes by itself
  STORE_UNREACHABLE: entry(
    'transient',
    3,
    'endless',
    'Nothing to do if the store comes back; assay retries.',
  ),
  MODEL_UNREACHABLE: entry(
    'transient',
    3,
    'endless',
    'Nothing to do if the provider comes back; assay retries.',
  ),
  MODEL_OVERLOADED: entry(
    'transient',
    3,
    'endless',
    'Nothing to do; assay waits as long as the provider asks.',
  ),
  OVERTAKEN: entry(
    'transient',
    1,
    'endless',
    'Nothing to do; a later attempt owns this work, and its result is used.',
  ),
  EVALUATOR_FAULT: entry(
    'transient',
    1,
    'bounded',
    "If it repeats, read the log of the attempt and fix the task's evaluator.",
  ),
  HOST_FAULT: entry(
    'transient',
    1,
    'bounded',
    'If it repeats, check the disk and the sandbox of that host with `assay doctor`.',
  ),
  DEVICE_FAULT: entry(
    'transient',
    1,
    'bounded',
    'The device gets no work until it is well again; `assay devices` says why. Other devices and hosts take the work.',
  ),
  DEVICE_THROTTLED: entry(
    'transient',
    1,
    'bounded',
    'The run is measured again; if it repeats, check the cooling and power of that host.',
  ),
  LOAD_CHANGED: entry(
    'transient',
    1,
    'bounded',
    'The pair is measured again; if it repeats, keep other work off that host (`resources: { host: exclusive }` keeps off that of assay).',
  ),
  CANDIDATE_SLOWED: entry(
    'transient',
    1,
    'bounded',
    'The pair is measured again, and given up where it stays so: look for processes of the recipe that wait for each other.',
  ),
  NO_FREE_SLOTS: entry(
    'transient',
    1,
    'endless',
    'Nothing to do; it is taken by the first host of its pool that has the slots free.',
  ),
  ISOLATION_TOO_WEAK: entry(
    'environment',
    3,
    'endless',
    'Start a worker on a host that supports the tier; `assay doctor` on this one says what it lacks.',
  ),
  ACCELERATORS_DIFFER: entry(
    'environment',
    3,
    'endless',
    'Start a worker of this pool on a host with such accelerators (`assay devices` lists those that workers have), or choose another profile of the task.',
  ),
  HOST_CLASS_DIFFERS: entry(
    'environment',
    3,
    'endless',
    'Start a worker on a host of the class that calibrated the campaign, or make this one alike; a new campaign is calibrated on the host that takes it first.',
  ),
  // what stops a campaign until a person has looked
  EVALUATOR_BROKEN: entry(
    'environment',
    1,
    false,
    'Fix what the evaluator needs on that host, then run `assay resume CAMPAIGN`; a wrong evaluator needs a new campaign.',
  ),
  WORKERS_LOST: entry(
    'environment',
    1,
    false,
    'Check what it does to its workers (memory first); `assay resume CAMPAIGN` retries it, `assay stop CAMPAIGN` ends the campaign.',
  ),
  FILES_LOST: entry(
    'environment',
    1,
    false,
    'Find out why hosts do not keep what they made (disk, power, another ASSAY_HOME); `assay resume CAMPAIGN` trains it again.',
  ),
  // what a model endpoint refuses for good
  MODEL_REQUEST_REFUSED: entry(
    'user',
    3,
    false,
    "Read the provider's message; check key, model id and quota.",
  ),
  // ours
  STORE_DOCUMENT: entry(
    'bug',
    1,
    false,
    'A stored document does not match its schema; please report it with the output of --debug.',
  ),
  STORE_REFUSED: entry(
    'bug',
    1,
    false,
    'It would be refused again; read what the store says, and report it with the output of --debug if it names no limit that you can raise.',
  ),
  INTERNAL: entry('bug', 1, false, 'Please report it with the output of --debug.'),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

/** An error that names its cause in one line and knows its remedy. */
export class AssayError extends Error {
  override readonly name = 'AssayError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions & { remedy?: string; detail?: string },
  ) {
    super(message, options);
    this.remedy = options?.remedy ?? ERRORS[code].remedy;
    this.detail = options?.detail ?? '';
  }

  readonly remedy: string;
  /** Lines that show the cause, such as the end of a log; empty where the message says all. */
  readonly detail: string;

  get retryable(): boolean {
    return ERRORS[this.code].retry !== false;
  }

  get exit(): number {
    return ERRORS[this.code].exit;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
