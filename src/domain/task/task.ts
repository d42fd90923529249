import { z } from 'zod';
import { SAME_AT } from '../text/near-duplicates.js';
import { uncounted } from './counted.js';
import { evaluationTimeIssue } from './evaluation-time.js';
import { gateSchema } from './schema/gate.js';
import { metricName } from './schema/metric-name.js';
import { evaluateSchema, phasesSchema } from './schema/phases.js';
import { profileFields } from './schema/profiles.js';
import { sourceIssues, sourceSchema, sourcesOf } from './schema/source.js';
import { countedSchema } from './schema/counted.js';
import { resourcesSchema } from './schema/resources.js';
import { replicateSchema, revealSchema } from './schema/measuring.js';
import { pythonFields } from './schema/environment.js';
import { direction, environment, relative, taskName } from './schema/fields.js';
import { outputIssues } from './output-issues.js';
import { resourceIssues } from './resource-issues.js';
import { deviceIssues, leaseSize } from './device-needs.js';
import { measuringIssues } from './measuring-issues.js';

/** task.yaml, schema assay.task/1. Times are in seconds, sizes in bytes. */
const taskFields = {
  schema: z.literal('assay.task/1').describe('the version of this format'),
  name: taskName.describe('the name that `assay task push` stores it under'),
  title: z.string().min(1).max(120).describe('one line for people and agents'),
  profile: taskName.optional().describe('set by assay in what it stores: the profile that it is'),
  metric: z.strictObject({
    name: metricName.describe('the headline, one of the metrics that the evaluator answers with'),
    unit: z.string().describe("shown behind values; `''` where there is none"),
    direction: direction.describe('which way is better'),
    limit: z.number().optional().describe('the best value that can exist, where one is known'),
  }),
  decision_metric: z
    .union([
      metricName,
      z.strictObject({
        name: metricName.describe('the metric that decides'),
        direction: direction.describe('which way is better of it'),
      }),
    ])
    .optional()
    .describe(
      'what decides, where that is not `metric` itself; `{name, direction}` where better is the other way round. Claimed is `metric` all the same, but for `train_s`',
    ),
  recipe_reported: z
    .array(metricName)
    .default([])
    .describe(
      'metrics that the evaluator takes from what the recipe says of itself: one may be `decision_metric` and so steer, none is claimed, gated or guarded by, and each is marked as such where it is shown',
    ),
  guards: z
    .array(
      z.strictObject({
        metric: metricName.describe('a metric that may veto an adoption'),
        direction: direction.default('minimize').describe('which way is better'),
        margin: z
          .number()
          .nonnegative()
          .describe('by how much it may be worse than that of the start; without a value it vetoes'),
      }),
    )
    .default([])
    .describe('metrics that may veto an adoption, and never cause one'),
  recipe: z.strictObject({
    root: relative.default('recipe').describe('folder of the recipe'),
    editable: z
      .array(relative)
      .min(1)
      .describe(
        'globs, below the root, of what agents and people who submit may change or add; every other file stays that of the start',
      ),
    counted: countedSchema,
    domains: z
      .record(taskName, z.string().min(1).max(400))
      .default({})
      .describe(
        'parts that an edit can be of, each with what belongs to it, recorded with a trial apart from the role that proposes it; empty: none is asked for',
      ),
    knobs: z
      .enum(['marked', 'none'])
      .default('none')
      .describe('`marked`: agents are told of the constants that are marked, see "Knobs"'),
  }),
  source: sourceSchema.optional(),
  data: z
    .strictObject({
      prepare: relative.describe('Python program that makes the data, see "Prepared data"'),
      train: relative.describe('folder of prepared data that training may see'),
      search: relative.describe('folder that only the evaluator sees, in every trial'),
      claim: relative
        .optional()
        .describe(
          'folder that only the evaluator sees, in claims alone. Without it claims are measured on `search` and state no error rate, since the search has selected on it',
        ),
      reveal: revealSchema
        .optional()
        .describe('inputs that the recipe sees when it has trained, see "Signals"'),
    })
    .optional()
    .describe('left out by a task without data'),
  ...pythonFields,
  env: environment
    .optional()
    .describe('variables by name for `data.prepare` and every phase of the recipe, such as `WIDTH: "96"`'),
  runtime: z
    .strictObject({
      paths: z
        .array(z.string().regex(/^\/./, 'an absolute path'))
        .min(1)
        .describe(
          "absolute paths of the host that phases need besides Python and the system's own programs, such as `/opt/jdk`; servers see these, their interpreter and a shell, and nothing else of the host",
        ),
    })
    .optional(),
  resources: resourcesSchema,
  phases: phasesSchema,
  replicate: replicateSchema,
  scoring: z
    .enum(['served', 'direct'])
    .describe('`direct`: the evaluator reads the artifact; `served`: the recipe answers as a server'),
  evaluate: evaluateSchema,
  gates: z.array(gateSchema).default([]).describe('limits that make a trial ineligible, see "Gates"'),
  calibration: z
    .strictObject({
      replicates: z
        .number()
        .int()
        .positive()
        .default(5)
        .describe('runs of the start before a search; 1 where `replicate.deterministic` is declared'),
    })
    .default({ replicates: 5 }),
  novelty: z
    .strictObject({
      threshold: z
        .number()
        .gt(0)
        .max(1)
        .default(SAME_AT)
        .describe(
          'a proposal whose hypothesis and changed lines are as similar as this to those of an earlier trial (cosine of TF-IDF), with the same numbers in its new lines, is answered with that one, free, and measured when it is submitted again',
        ),
    })
    .default({ threshold: SAME_AT }),
  specialists: z
    .array(taskName)
    .min(1)
    .describe('roles that propose, each with a prompt in `specialists/NAME.md`'),
};

/** A task in one of its profiles, as it is frozen. */
export const taskSchema = z.strictObject(taskFields).superRefine((task, context) => {
  for (const { path, message } of [
    ...resourceIssues(task),
    ...deviceIssues(task),
    ...measuringIssues(task),
    ...outputIssues(task),
  ])
    context.addIssue({ code: 'custom', path, message });
  for (const { at, path, message } of sourceIssues(sourcesOf(task)))
    context.addIssue({
      code: 'custom',
      path: ['source', ...(Array.isArray(task.source) ? [at] : []), ...path],
      message,
    });
  if (task.scoring === 'served' && task.phases.serve === undefined)
    context.addIssue({
      code: 'custom',
      path: ['phases', 'serve'],
      message: 'scoring "served" needs phases.serve',
    });
  if (new Set(task.specialists).size !== task.specialists.length)
    context.addIssue({
      code: 'custom',
      path: ['specialists'],
      message: 'the same specialist is named twice',
    });
  if (decisionMetric(task) === 'train_s')
    context.addIssue({
      code: 'custom',
      path: ['decision_metric'],
      message: `seconds of different moments are not compared: decide by "${TIME_RATIO}", the time over that of the start beside it`,
    });
  if (task.replicate.deterministic && decisionMetric(task) === TIME_RATIO)
    context.addIssue({
      code: 'custom',
      path: ['replicate', 'deterministic'],
      message: `times differ from run to run, and "${TIME_RATIO}" is one`,
    });
  const untimed = evaluationTimeIssue({
    scoring: task.scoring,
    decides: decisionMetric(task),
    named: namedMetrics(task),
  });
  if (untimed !== null) context.addIssue({ code: 'custom', path: ['gates'], message: untimed });
  const free = uncounted({ recipe: task.recipe, metrics: namedMetrics(task) });
  if (free !== null)
    context.addIssue({
      code: 'custom',
      path: ['recipe', 'counted'],
      message: `"${free}" may be edited and is not counted, so it could carry what the limit of size is about; count it as well`,
    });
  for (const name of task.recipe_reported)
    if (name !== decisionMetric(task) && namedMetrics(task).includes(name))
      context.addIssue({ code: 'custom', path: ['recipe_reported'], message: reportedAs(task, name) });
  if (task.recipe_reported.includes(claimedMeasure(task).name))
    context.addIssue({
      code: 'custom',
      path: ['recipe_reported'],
      message: `"${claimedMeasure(task).name}" is what is claimed, so the evaluator has to measure it itself; a number of the recipe's own may be decision_metric at most`,
    });
  for (const [path, budget, limit] of budgetsOf(task))
    if (budget !== undefined && budget > limit)
      context.addIssue({
        code: 'custom',
        path,
        message: `a budget of ${budget} s is above the timeout_s of ${limit} s`,
      });
  const missing = rehearsalNeeds(task);
  if (task.evaluate.rehearsal !== undefined && missing !== null)
    context.addIssue({ code: 'custom', path: ['evaluate', 'rehearsal'], message: missing });
});
export type Task = z.infer<typeof taskSchema>;

const { profile: _resolved, ...writtenFields } = taskFields;
/** The fields of a task.yaml as people write it, with its profiles; rules between fields are checked when one is resolved. */
export const taskFileSchema = z.strictObject({ ...writtenFields, ...profileFields });

/** Declaration of a task that its recipes measure the same under every seed, as people read and write it. */
export const DETERMINISTIC = '`replicate: { deterministic: true }`';

/** Says what hangs on a number that only the recipe vouches for. */
function reportedAs(
  { metric, gates, guards }: Pick<Task, 'metric' | 'gates' | 'guards'>,
  name: string,
): string {
  const by = gates.some((gate) => gate.metric === name)
    ? 'a gate'
    : guards.some((guard) => guard.metric === name)
      ? 'a guard'
      : `the headline ${metric.name}`;
  return `${by} depends on "${name}", which the recipe reports of itself and could write as it likes: let the evaluator measure it`;
}

type Budgeted = { timeout_s: number; budget_s?: number | undefined };

/** The budgets that a task declares, where, and the wall limits that they have to keep. */
function budgetsOf({
  phases: { train, pack },
}: {
  phases: { train: Budgeted & { clock?: { budget_s: number } | undefined }; pack?: Budgeted | undefined };
}): [string[], number | undefined, number][] {
  return [
    [['phases', 'train', 'clock', 'budget_s'], train.clock?.budget_s, train.timeout_s],
    ...(pack === undefined
      ? []
      : [
          [['phases', 'pack', 'budget_s'], pack.budget_s, pack.timeout_s] satisfies [
            string[],
            number | undefined,
            number,
          ],
        ]),
  ];
}

/** Returns in words what a task lacks to rehearse its evaluation. */
function rehearsalNeeds(task: {
  scoring: 'served' | 'direct';
  data?: unknown;
  phases: { smoke?: unknown };
  resources: { pool: string };
  evaluate: { timeout_s: number; rehearsal?: { limit_s?: number | undefined } | undefined };
}): string | null {
  if (task.scoring !== 'served') return 'only with scoring "served": nothing of the recipe runs otherwise';
  if (task.phases.smoke === undefined) return 'needs phases.smoke, whose artifact is served';
  if (task.data === undefined) return 'needs data.train, which is scored';
  // on the lease of a training it costs more than it spares (bench/waste.ts)
  if (task.resources.pool !== 'cpu')
    return 'only in the pool "cpu": elsewhere no host that prepares can measure it';
  if ((task.evaluate.rehearsal?.limit_s ?? 0) > task.evaluate.timeout_s)
    return 'limit_s is above the timeout_s of the evaluation';
  return null;
}

/**
 * Processors that a phase of a trial may use: a slot of the pool `cpu` is one; in other pools a slot has its share of
 * the host's. Fewer where the phase asks for fewer.
 */
export function processorsOf(
  { pool, slots, gpus, cpus }: Pick<Task['resources'], 'pool' | 'slots' | 'gpus' | 'cpus'>,
  capacity: number,
  processors: number,
): number {
  const share = pool === 'cpu' ? slots : Math.max(1, (processors * leaseSize({ slots, gpus })) / capacity);
  return Math.min(share, cpus ?? share);
}

/** Metric that recipes are compared by; its unit is empty where the task does not name it. */
export type Measure = Task['metric'] & {
  /** Set for a number that the recipe reports of itself: it steers, and is never claimed. */
  recipeReported?: true;
};

type Measured = Pick<Task, 'decision_metric' | 'metric'> & {
  recipe_reported?: readonly string[] | undefined;
};

/** The metric that decisions use: `decision_metric`, else the headline. */
export function decisionMeasure({
  decision_metric: decides,
  metric,
  recipe_reported = [],
}: Measured): Measure {
  if (decides === undefined || decides === metric.name) return metric;
  const name = typeof decides === 'string' ? decides : decides.name;
  const reported = recipe_reported.includes(name) ? ({ recipeReported: true } as const) : {};
  if (typeof decides !== 'string') return { unit: '', ...decides, ...reported };
  return { name, unit: '', direction: name === TIME_RATIO ? 'minimize' : metric.direction, ...reported };
}

/** The name of the metric that decisions use. */
export const decisionMetric = (task: Measured): string => decisionMeasure(task).name;

/** Metric of claims: the headline, except times, which are only compared as a ratio. */
export function claimedMeasure(task: Measured): Measure {
  return task.metric.name === 'train_s' ? decisionMeasure(task) : task.metric;
}

/** Metric that compares trainings in time: that of a trial's over that of the start's beside it. */
export const TIME_RATIO = 'train_ratio';

/** All metrics that something depends on: the headline, what decides, gates and guards. */
function namedMetrics(task: Measured & Pick<Task, 'gates' | 'guards'>): string[] {
  const { metric, gates, guards } = task;
  return [metric.name, decisionMetric(task), ...[...gates, ...guards].map((each) => each.metric)];
}

/**
 * Returns true when each training is timed against the start's own on the same lease, which then takes twice as long.
 */
export const comparesTimes = (task: Task): boolean => namedMetrics(task).includes(TIME_RATIO);

/** Returns true when score `a` is better than score `b` on this task. */
export function isBetter(direction: Task['metric']['direction'], a: number, b: number): boolean {
  return direction === 'minimize' ? a < b : a > b;
}

/**
 * Tells which evaluations have their host to themselves: those of claims, and none of the search, unless the task
 * says otherwise.
 */
export function exclusiveEvaluation({ evaluate: { exclusive } }: Pick<Task, 'evaluate'>): {
  search: boolean;
  claim: boolean;
} {
  return { search: exclusive ?? false, claim: exclusive ?? true };
}
