import { isRun, type Attack, type NotRun, type Outcome } from './attack.js';
import { renderChannels } from './channel-table.js';
import { EXHAUSTING } from './exhausting.js';
import { FORGING } from './forging.js';
import { OUTPUTS } from './outputs.js';
import { REACHING } from './reaching.js';
import { SERVING } from './serving.js';
import { TWINS } from './twins.js';

/** Every attack, by its target. */
export const SECTIONS: readonly (readonly [string, readonly Attack[]])[] = [
  ['Forging a result', FORGING],
  ['Through the outputs', OUTPUTS],
  ['To see or change what is not its own', REACHING],
  ['On the host’s resources', EXHAUSTING],
  ['By a server, while it is scored', SERVING],
  ['By a server that is sent its labels as inputs', TWINS],
];

export const ATTACKS: readonly Attack[] = SECTIONS.flatMap(([, attacks]) => attacks);

/** Shown by other tests, and not repeated here. */
const ELSEWHERE: readonly (readonly [string, string, string])[] = [
  [
    'an edit through `..`, an absolute path, NUL, `.git`, another case, a link',
    'refused, told to the agent',
    'test/bad-input/edits.test.ts',
  ],
  ['a line of 1 GB', '`crash`, limit output', 'test/bad-input/recipes.slow.test.ts'],
  [
    'a served answer that is no frame, not finite, late, or missing',
    '`crash` or `eval_budget_overrun`',
    'test/bad-input/served.test.ts',
  ],
  [
    'five of the above submitted as `assay submit --wait --json`',
    'the same statuses, in the JSON it prints',
    'test/attacks/submit.slow.test.ts',
  ],
  [
    'weights in a file that the task does not let anyone edit, changed or added, by `assay submit`, an update or the `submission` of a campaign',
    'refused with the names of the files (`RECIPE_INVALID`)',
    'test/bad-input/submissions.test.ts',
  ],
  [
    'a Python that would show recipes the home of assay or of its user',
    'the task is refused (`PYTHON_UNAVAILABLE`)',
    'test/tasks/python.test.ts',
  ],
  [
    'a recipe that kills its worker, and each that takes it over (tier E)',
    '`crash` after three workers',
    'test/faults/kills-workers.slow.test.ts',
  ],
  [
    'training for 13.75 s of 10, sleeping past its budget, training on while it packs',
    '`train_budget_overrun`, limit budget',
    'test/workflows/train-budget.test.ts',
  ],
  [
    'paths beyond the longest, too many names or a link, left by training for packing',
    '`crash`, limit names or depth, or `violation`; one attempt',
    'test/workflows/outputs.test.ts',
  ],
  [
    'a server that would overrun its evaluation',
    '`eval_budget_overrun` before it is trained',
    'test/workflows/rehearsal.slow.test.ts',
  ],
  [
    'a result that the evaluator does not give as one JSON object of finite numbers',
    'the evaluator is at fault',
    'test/bad-input/evaluators.test.ts',
  ],
];

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const row = (...cells: string[]): string => `| ${cells.map(cell).join(' | ')} |`;

function told(outcome: Outcome | NotRun): string {
  if (!isRun(outcome)) return `not prevented (\`${outcome.label}\`); not run, for ${outcome.notRun}`;
  const ends = outcome.ends.map((status) => `\`${status}\``).join(' or ');
  const limit = outcome.limit === undefined ? '' : `, limit ${outcome.limit}`;
  const label = outcome.label === undefined ? '' : `; not prevented (\`${outcome.label}\`)`;
  return `${ends}${limit}${label}`;
}

/** docs/security.md. */
export function renderSecurity(): string {
  return [
    '# Security',
    '',
    'Written from `test/attacks/` by `ASSAY_RECORD=1 npx vitest run test/attacks/security.test.ts`; not to be edited by hand.',
    '',
    '## What is defended',
    '',
    'A recipe is a hostile program: it is written by a model that is rewarded for a number, and an autonomous search finds whatever leaks. It must not be able to set its own score, see held-out data or the evaluator, see a secret of the worker, harm another trial or the host, or outlive its phase. Agents, recipes, artifacts, logs and what a served recipe answers are not trusted. The task (evaluator, preparation, requirements), the operator, Temporal and the store are.',
    '',
    '1. A score is what the evaluator says of a sealed artifact. It runs as another process, after every process of the training is dead, on a copy that was taken by descriptor and hashed, and answers on a descriptor of its own; only finite numbers count. What the recipe prints is a log.',
    '2. An artifact is data: regular files inside the outputs folder, which count with their names and are handed on with the same modes and times always. Code that has to run to be scored runs as a server in a second sandbox, without data. Where the inputs are the labels, as those of a language model, two servers run one after the other: what the first claims to have predicted, of tokens that it was sent, is corrected by what the second gives some of them without being sent them, and refused where that differs (docs/decisions/0019-claims-and-blind-rows.md). What a server prints or answers is not shown to agents.',
    '3. Each phase has a fresh folder. Held-out data and the evaluator are never visible to the recipe where files are held back.',
    '4. Every trial stores what really held it: `isolation`, each field `enforced`, `advisory` (looked at some times a second, or by convention) or `none`. Without enforced files (tier E) a change to the task, its data or its Python is found by digest after each run of a recipe: the trial that made it is a `violation`, the copy is restored before it is used again, and what was measured meanwhile is measured again.',
    '5. What is found out before training (check, smoke, the projected size, the rehearsed evaluation) can only warn of a trial or end it. A recipe that looks smaller or quicker there than it is gains a training that its evaluation then ends. In a rehearsal its server is shown training data only.',
    '6. Nothing that saw held-out data runs beside or before something that it could help: a twin server starts, and what it is asked is drawn, when the first is dead; a claim trains and seals all its runs before any of them is evaluated, and each of these evaluations has its host to itself unless the task says otherwise (docs/decisions/0008-order.md). Two orders stay as they are, and rest on the channels below being closed: the search evaluates before it trains on, and with milestones an early claim is evaluated on the data of the later ones.',
    '',
    '## Attacks',
    '',
    'Each row is a recipe that `test/attacks` runs through the real workflow, at the best tier of the machine and at tier E. Where the best is D, an attack ends as at A to C, or as at E where it is after what D leaves open (network, accelerators); what is not run at E is not run there either. "Not prevented" names the field of `isolation` that says so; the test fails when an attack gets through a field that says `enforced`. A status of a trial that did nothing else wrong is `discard`: the attack failed, and its artifact was no better.',
    '',
    ...SECTIONS.flatMap(([title, attacks]) => [
      `### ${title}`,
      '',
      row('attack', 'the recipe', 'tiers A to C', 'tier E'),
      row('---', '---', '---', '---'),
      ...attacks.map(({ name, does, best, group }) => row(name, does, told(best), told(group))),
      '',
    ]),
    '### Shown elsewhere',
    '',
    row('attack', 'outcome', 'shown by'),
    row('---', '---', '---'),
    ...ELSEWHERE.map(([attack, outcome, shownBy]) => row(attack, outcome, `\`${shownBy}\``)),
    '',
    ...renderChannels(),
    '## What is not defended',
    '',
    '- Holes of the kernel, of bubblewrap and of the processor. A recipe shares the kernel of its host below tier A.',
    '- At tier E everything marked above: a recipe can read what its user can read, the model key of a worker among it, signal its user’s processes, use the network, leave a process that gave up its mark and its parents within a moment, and leave System V shared memory, which counts against no limit once its processes are gone. Run a worker of tier E as a user of its own, without keys, on a machine that has nothing else; or demand a tier.',
    '- Memory, processes and disk are looked at some times a second where the label says `advisory`: a recipe may exceed them for a moment.',
    '- What the channels above leave open: where servers share the host’s files, a server tells its twin, or another trial, what it likes. A server that looks ahead in 1 % of the rows passes one evaluation of byte-golf in 3 of 10,000 cases; in 0.1 % of the rows in 45 of 100, and eight replicates in 2 of 1,000.',
    '- What a score itself tells: by its digits, the number of a limit that it overran and the moment of its failure a server can tell agents some bits of held-out text a trial.',
    '- What a recipe learns of unlabelled inputs in the seconds after it said that it has trained: how long that was is measured (`reveal_s`), and a gate can bound it.',
    '- The task itself. An evaluator that reveals labels in its feedback, or runs what is in an artifact, is beyond repair here.',
    '- Time that is stolen from neighbours on the same cores or memory bus; timing scores need a host of their own. A recipe that slows itself down by many processes has an overrun run once more, on its own lease, and no more than that; where times are compared, it can have two pairs of a run measured again, five in all its runs of the search, and none in a claim: with one process a run, and two drawn again in each of eight, the mean of a claim would else have gained 0.6 standard deviations of a pair (simulated).',
    '- Selection on the search split over hundreds of trials: that is what the claim split is for. A claim of a task without one says how often its data was selected on, and states no error rate.',
    '- A recipe that fixes its seed and adds a little noise of its own: no spread tells it from an honest recipe that has grown quiet. Where the task draws the order of the training data by the seed (docs/tasks.md, Seeds), a seed of the recipe’s own buys little; what it is worth besides shows on the claim split.',
    '',
  ].join('\n');
}
