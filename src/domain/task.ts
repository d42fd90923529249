import { z } from 'zod';

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
const seconds = z
  .number()
  .positive()
  .max(7 * 86_400);

const phase = z.strictObject({
  run: z.string().min(1),
  timeout_s: seconds,
});

const outputPhase = phase.extend({
  output: relative,
  /** What the phase can read: globs in the recipe, and folders of data or of earlier phases (ending in "/"). */
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
      direction: z.enum(['minimize', 'maximize']),
      /** The best value that can exist, where one is known. */
      limit: z.number().optional(),
    }),
    decision_metric: z.string().min(1).optional(),
    guards: z.array(z.strictObject({ metric: z.string().min(1), margin: z.number() })).default([]),
    recipe: z.strictObject({
      root: relative.default('recipe'),
      editable: z.array(relative).min(1),
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
        clock: z.strictObject({ from: z.literal('data_visible'), budget_s: seconds }).optional(),
      }),
      pack: outputPhase.optional(),
      serve: z.strictObject({ run: z.string().min(1), startup_s: seconds }).optional(),
    }),
    replicate: z
      .strictObject({ processes: z.number().int().positive().default(1) })
      .default({ processes: 1 }),
    scoring: z.enum(['served', 'direct']),
    evaluate: phase,
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
  });
export type Task = z.infer<typeof taskSchema>;

/** The metric that decisions use: `decision_metric`, else the headline metric. */
export function decisionMetric(task: Pick<Task, 'decision_metric' | 'metric'>): string {
  return task.decision_metric ?? task.metric.name;
}

/** Whether score `a` is better than score `b` on this task. */
export function isBetter(direction: Task['metric']['direction'], a: number, b: number): boolean {
  return direction === 'minimize' ? a < b : a > b;
}

/** The training clock in seconds: what the campaign says, else the task's budget, else its wall limit. */
export function trainBudget(task: Task, override: number | null): number {
  return override ?? task.phases.train.clock?.budget_s ?? task.phases.train.timeout_s;
}

/**
 * The wall limit of training in seconds. Under an override the task's slack over its budget stays at least the same,
 * and grows with it: what a busy host takes from a training grows with its length.
 */
export function trainTimeout(task: Task, override: number | null): number {
  const { timeout_s, clock } = task.phases.train;
  if (override === null) return timeout_s;
  const budget = clock?.budget_s ?? timeout_s;
  return Math.max(override + Math.max(timeout_s - budget, 2), override * (timeout_s / budget));
}

const PREPARE_DATA_S = 1800;

/** Upper bounds of what the activities of a trial run, in seconds. */
export function phaseSeconds(
  task: Task,
  override: number | null,
): { prepare: number; train: number; evaluate: number } {
  const { check, smoke, pack, serve } = task.phases;
  const packing = pack?.timeout_s ?? 0;
  return {
    prepare: PREPARE_DATA_S + (check?.timeout_s ?? 0) + (smoke?.timeout_s ?? 0) + packing,
    train: PREPARE_DATA_S + trainTimeout(task, override) + packing,
    evaluate: PREPARE_DATA_S + task.evaluate.timeout_s + (serve?.startup_s ?? 0),
  };
}
