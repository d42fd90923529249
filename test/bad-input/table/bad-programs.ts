import { campaign, error, shownBy, trial } from './bad-input.js';

const TOOL = 'the editing tool';
const REFUSED = 'an answer to the agent, marked as an error; the workspace stays as it was';

const edits = shownBy('test/bad-input/edits.test.ts', {
  'edit-path': [
    'an edit by an agent of `../x`, `/etc/x`, `a\\b`, `.git/x`, or a name with a NUL or an invisible character',
    TOOL,
    REFUSED,
    '"PATH": …',
  ],
  'edit-case': [
    'an edit by an agent of a name that differs from a present one only in case or in its Unicode form',
    TOOL,
    REFUSED,
    '"PATH" was not written: "OTHER" differs from it only in upper and lower case.',
  ],
  'edit-foreign': [
    'an edit by an agent of a file that the task does not let it change',
    TOOL,
    REFUSED,
    '"PATH" may not be changed; you may change: …',
  ],
  'edit-link': [
    'an edit by an agent through a link: there is none, snapshots are regular files',
    TOOL,
    REFUSED,
    'There is no "PATH". Files: …',
  ],
});

const LIMITED = [trial('crash'), 'in check or smoke: `preflight_crash`'];

const recipes = shownBy('test/bad-input/recipes.test.ts', {
  'syntax-checked': [
    'a syntax error in the recipe, where the task has a check or a smoke run',
    'prepare; no lease was taken',
    trial('preflight_crash'),
    'exited with code 1',
  ],
  'syntax-unchecked': [
    'a syntax error in the recipe, where the task has neither',
    'train',
    trial('crash'),
    'exited with code 1',
  ],
  forks: [
    'a recipe that starts too many processes',
    'the watchdog',
    LIMITED,
    'processes limit: N of N processes…',
  ],
  'sealed-link': [
    'links, devices or sparse files in the output folder',
    'sealing',
    trial('violation'),
    'PATH: is a symbolic link',
  ],
  'artifact-empty': [
    'a recipe that ends well and leaves no file, where scoring is direct',
    'sealing; the evaluator, which would fail on it, is not run',
    trial('crash'),
    'the artifact has no file: nothing was written to ASSAY_OUTPUT',
  ],
  'artifact-incomplete': [
    'an artifact without a file that `evaluate.artifact` names',
    'sealing; the evaluator, which would fail on it, is not run',
    trial('crash'),
    'the artifact has no FILE, which the evaluator reads; it has FILE',
  ],
});

const exhausting = shownBy('test/bad-input/recipes.slow.test.ts', {
  endless: [
    'a recipe that never ends',
    'the wall limit of the phase; every process of it is killed',
    [trial('train_budget_overrun'), 'in check or smoke: `preflight_crash`'],
    'wall limit: N of N s, N over…',
  ],
  'disk-full': [
    'a recipe that fills the disk',
    'the watchdog (twice a second), the rlimit on files, and once more at the end',
    LIMITED,
    'disk limit: N of N bytes…',
  ],
  gigabyte: [
    'a recipe that prints a gigabyte',
    'at 64 times the `log_kb` of the task; head and tail of the log are kept',
    LIMITED,
    'output limit: N of N bytes…',
  ],
  'memory-full': [
    'a recipe that takes too much memory',
    'the watchdog',
    LIMITED,
    'memory limit: N of N bytes…',
  ],
});

const served = shownBy('test/bad-input/served.test.ts', {
  'served-crash': [
    'a served recipe that crashes or leaves during its evaluation',
    'evaluate',
    trial('crash'),
    'the server ended early: it left',
  ],
  'served-garbage': [
    'a served recipe that answers with something that is no frame',
    'evaluate, by the evaluator, or by assay where the evaluator takes it',
    trial('crash'),
    'protocol: …',
  ],
  'served-nan': [
    'a served recipe that answers with a number that is not finite',
    'evaluate, by the evaluator',
    trial('crash'),
    'invalid: …',
  ],
  'served-late': [
    'a served recipe that does not answer in time',
    'evaluate',
    trial('eval_budget_overrun'),
    'late: …',
  ],
});

const THEN = [
  error('EVALUATOR_FAULT'),
  'three attempts, then the artifact of the start on the same host',
  trial('crash'),
];
const evaluator = (words: string): string =>
  `the evaluator failed N times on this artifact, while it scores the start recipe on the same host: …${words}`;

const evaluators = shownBy('test/bad-input/evaluators.test.ts', {
  'evaluator-crash': [
    'an evaluator that crashes on one artifact',
    'evaluate',
    THEN,
    evaluator('the evaluator exited with code N'),
  ],
  'evaluator-hang': [
    'an evaluator that hangs on one artifact',
    'its wall limit',
    THEN,
    evaluator('the evaluator exceeded its wall limit: …'),
  ],
  'evaluator-print': [
    'an evaluator that prints a score on stdout',
    'never: only the result descriptor is read',
    'nothing: the printed text is its log',
    '',
  ],
  'evaluator-rubbish': [
    'an evaluator that writes rubbish on its result descriptor',
    'evaluate',
    THEN,
    evaluator("the evaluator's result is not one JSON object: …"),
  ],
  'evaluator-two': [
    'an evaluator that writes two objects',
    'evaluate',
    THEN,
    evaluator("the evaluator's result is not one JSON object: …"),
  ],
  'evaluator-nan': [
    'an evaluator that returns NaN (which is no JSON)',
    'evaluate',
    THEN,
    evaluator("the evaluator's result is not one JSON object: …"),
  ],
  'evaluator-string': [
    'an evaluator that returns `"0.1"`, null or a list for a metric',
    'evaluate',
    THEN,
    evaluator("the evaluator's result is not assay.evaluation/1: …"),
  ],
  'evaluator-infinite': [
    'an evaluator that returns 1e999, which JSON reads as infinite',
    'evaluate',
    THEN,
    evaluator("the evaluator's result is not assay.evaluation/1: …"),
  ],
  'evaluator-nothing': [
    'an evaluator that returns nothing',
    'evaluate',
    THEN,
    evaluator('the evaluator wrote no result'),
  ],
  'evaluator-other-metric': [
    'an evaluator that leaves out the metric that decides',
    'evaluate',
    THEN,
    evaluator('…'),
  ],
  'evaluator-broken': [
    'an evaluator that fails on the start as well',
    'evaluate, after three attempts',
    [
      error('EVALUATOR_BROKEN'),
      campaign('blocked'),
      'trials wait; `assay resume` continues once it is fixed',
    ],
    'evaluating trial N: the evaluator failed N times on this artifact, and …',
  ],
});

/** Misbehaving programs, and edits of agents that exceed their limits. */
export const BAD_PROGRAMS = { ...edits, ...recipes, ...exhausting, ...served, ...evaluators };
