import { z } from 'zod';
import { uncounted } from './counted.js';

const name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,47}$/, 'lower-case letters, digits and dashes, starting with a letter');
const relative = z
  .string()
  .min(1)
  .refine(
    (path) => !path.startsWith('/') && !path.split('/').includes('..'),
    'a path inside the task folder',
  );
const direction = z.enum(['minimize', 'maximize']);

const seconds = z
  .number()
  .positive()
  .max(7 * 86_400);

/** Seconds past a budget at which a run is ended; default: a tenth of the budget, at least 1. */
const tolerance = z.number().nonnegative().max(86_400);

const phase = z.strictObject({
  run: z.string().min(1),
  timeout_s: seconds,
});

const outputPhase = phase.extend({
  output: relative,
  /**
   * Files that the phase can read: globs in the recipe, and folders of data or of earlier phases (ending in "/").
   */
  reads: z.array(relative).default([]),
});

export const gateSchema = z
  .strictObject({
    name,
    metric: z.string().min(1),
    max: z.number().optional(),
    min: z.number().optional(),
    /** The earliest moment at which the metric is known. */
    known: z.enum(['static', 'check', 'pack', 'train', 'evaluate']),
    test: z.enum(['exact', 'statistical']).default('exact'),
  })
  .refine((gate) => gate.max !== undefined || gate.min !== undefined, 'a gate needs max or min');
/** A limit that makes a trial ineligible; `max` and `min` are in the units of the metric. */
export type Gate = z.infer<typeof gateSchema>;

/** task.yaml, schema assay.task/1. Times are in seconds, sizes in bytes. */
export const taskSchema = z
  .strictObject({
    schema: z.literal('assay.task/1'),
    name,
    title: z.string().min(1).max(120),
    metric: z.strictObject({
      name: z.string().min(1),
      unit: z.string(),
      direction,
      /** The best value that can exist, where one is known. */
      limit: z.number().optional(),
    }),
    /**
     * Metric that decides where that is not the headline; with a direction of its own where it differs from the
     * headline's.
     */
    decision_metric: z
      .union([z.string().min(1), z.strictObject({ name: z.string().min(1), direction })])
      .optional(),
    /** Metrics that may veto an adoption: none may be worse than the start's by more than its margin. */
    guards: z
      .array(
        z.strictObject({
          metric: z.string().min(1),
          direction: z.enum(['minimize', 'maximize']).default('minimize'),
          margin: z.number().nonnegative(),
        }),
      )
      .default([]),
    recipe: z.strictObject({
      root: relative.default('recipe'),
      editable: z.array(relative).min(1),
      /** Globs of files that make up the metrics of size; all that may be edited where one of these matters. */
      counted: z.array(relative).default([]),
      knobs: z.enum(['marked', 'none']).default('none'),
    }),
    data: z
      .strictObject({
        prepare: relative,
        train: relative,
        search: relative,
        claim: relative.optional(),
      })
      .optional(),
    /** A requirements file with exact versions; the phases' `python` is a private environment made from it. */
    requirements: relative.optional(),
    /**
     * Programs and folders of the host that phases need besides Python and the system's own: of another toolchain, say.
     * A server has a root of its own with these, the interpreter and a shell in it, and nothing else.
     */
    runtime: z
      .strictObject({
        paths: z.array(z.string().regex(/^\/./, 'an absolute path')).min(1),
      })
      .optional(),
    resources: z.strictObject({
      pool: name.default('cpu'),
      slots: z.number().int().positive().default(1),
      memory_mb: z.number().int().positive().default(2048),
      disk_mb: z.number().int().positive().default(512),
      log_kb: z.number().int().positive().default(256),
      processes: z.number().int().positive().default(64),
    }),
    phases: z.strictObject({
      check: phase.optional(),
      smoke: phase.extend({ data: z.literal('synthetic').optional() }).optional(),
      prewarm: phase.extend({ data: z.literal('synthetic').optional(), output: relative }).optional(),
      train: outputPhase.extend({
        clock: z
          .strictObject({
            from: z.literal('data_visible'),
            budget_s: seconds,
            tolerance_s: tolerance.optional(),
          })
          .optional(),
        /** Lines of progress that training prints, so that a hopeless run can be ended early. */
        progress: z
          .strictObject({
            metric: z.string().min(1),
            direction: z.enum(['minimize', 'maximize']).default('minimize'),
            stop: z.strictObject({
              after: z.number().min(0.05).max(0.95).default(0.3),
              spread: z.number().positive(),
              spreads: z.number().min(2).default(4),
              catch_up: z.number().min(1).default(1.5),
            }),
          })
          .optional(),
      }),
      pack: outputPhase
        .extend({ budget_s: seconds.optional(), tolerance_s: tolerance.optional() })
        .optional(),
      serve: z
        .strictObject({
          run: z.string().min(1),
          startup_s: seconds,
          /** True when a second server, after the first, is there for the evaluator to compare. */
          twins: z.boolean().default(false),
        })
        .optional(),
    }),
    replicate: z
      .strictObject({
        processes: z.number().int().positive().default(1),
        /** True when a recipe scores the same under every seed, so that one run is all there is. */
        deterministic: z.boolean().default(false),
      })
      .default({ processes: 1, deterministic: false }),
    scoring: z.enum(['served', 'direct']),
    evaluate: phase.extend({
      /**
       * True when nothing else of assay runs on its host meanwhile; default: only while a claim is measured.
       */
      exclusive: z.boolean().optional(),
      /**
       * Files that an artifact must have, as globs. Without one of them the trial ends as a crash and the evaluator,
       * which would fail on it, is not run; nor is it on an artifact without a file, where scoring is direct.
       */
      artifact: z.array(relative).max(64).optional(),
      /** Settings for projecting the length of an evaluation before training, from a part of it. */
      rehearsal: z
        .strictObject({
          /** The part of a full evaluation that the evaluator scores under ASSAY_REHEARSAL. */
          share: z.number().min(0.01).max(0.5),
          /**
           * Limit that the evaluator itself sets for a full evaluation, where that is less than its wall limit.
           */
          limit_s: seconds.optional(),
        })
        .optional(),
    }),
    gates: z.array(gateSchema).default([]),
    calibration: z
      .strictObject({ replicates: z.number().int().positive().default(5) })
      .default({ replicates: 5 }),
    specialists: z.array(name).min(1),
  })
  .superRefine((task, context) => {
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
    const free = uncounted({ recipe: task.recipe, metrics: namedMetrics(task) });
    if (free !== null)
      context.addIssue({
        code: 'custom',
        path: ['recipe', 'counted'],
        message: `"${free}" may be edited and is not counted, so it could carry what the limit of size is about; count it as well`,
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

/** Declaration of a task that its recipes measure the same under every seed, as people read and write it. */
export const DETERMINISTIC = '`replicate: { deterministic: true }`';

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
 * Processors that the phases of a trial may use: a slot of the pool `cpu` is one; in other pools a slot has its share of
 * the host's.
 */
export function processorsOf(
  { pool, slots }: Pick<Task['resources'], 'pool' | 'slots'>,
  capacity: number,
  processors: number,
): number {
  return pool === 'cpu' ? slots : Math.max(1, (processors * slots) / capacity);
}

/** Metric that recipes are compared by; its unit is empty where the task does not name it. */
export type Measure = Task['metric'];

type Measured = Pick<Task, 'decision_metric' | 'metric'>;

/** The metric that decisions use: `decision_metric`, else the headline. */
export function decisionMeasure({ decision_metric: decides, metric }: Measured): Measure {
  if (decides === undefined || decides === metric.name) return metric;
  if (typeof decides !== 'string') return { unit: '', ...decides };
  return { name: decides, unit: '', direction: decides === TIME_RATIO ? 'minimize' : metric.direction };
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
