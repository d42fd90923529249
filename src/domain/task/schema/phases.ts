import { z } from 'zod';
import { metricName } from './metric-name.js';
import { artifactSchema } from './artifact.js';
import { evaluatorResources, phaseResources } from './resources.js';
import { direction, environment, relative, seconds } from './fields.js';

const tolerance = z
  .number()
  .nonnegative()
  .max(86_400)
  .describe('seconds past the budget at which a run is ended; by default a tenth of the budget, at least 1');

const bare = z.strictObject({
  run: z.string().min(1).describe('command for `sh`'),
  timeout_s: seconds.describe('wall limit in seconds'),
});
const phase = bare.extend({ resources: phaseResources });

const gpus = z
  .number()
  .int()
  .nonnegative()
  .optional()
  .describe('accelerators of the lease that it uses; by default those of `resources`');

const noGpus = gpus.unwrap().default(0).describe('accelerators that it uses, at most those of `resources`');

const synthetic = z
  .literal('synthetic')
  .optional()
  .describe(
    'it makes up its data: `ASSAY_SYNTHETIC` is 1, by which a program that trains as well can tell. It never sees the data of the task',
  );

const outputPhase = phase.extend({
  output: relative.describe(
    'name of what it leaves, such as `out/`, for `reads` of what comes after it; one of its own',
  ),
  reads: z
    .array(relative)
    .default([])
    .describe(
      'what it may see: globs of recipe files, and folders of data or of an earlier phase, ending in `/`; empty: everything, see "What phases read"',
    ),
});

const stop = z
  .strictObject({
    after: z.number().min(0.05).max(0.95).default(0.3).describe('nothing is stopped before this share'),
    spread: z
      .number()
      .positive()
      .describe('standard deviation between runs of one recipe at the end of training'),
    spreads: z.number().min(2).default(4).describe('spreads by which the projected end has to be worse'),
    catch_up: z
      .number()
      .min(1)
      .default(1.5)
      .describe('factor by which a run may still improve more than the start did'),
  })
  .describe('when a run is hopeless, see "Progress"');

const train = outputPhase.extend({
  clock: z
    .strictObject({
      from: z
        .enum(['data_visible', 'ready'])
        .describe(
          'when it starts: `data_visible`: as the first process of the recipe does, which sees the data from then on; `ready`: when the recipe says that it is ready, which sees no data before, see "Signals"',
        ),
      warmup_timeout_s: seconds
        .optional()
        .describe('seconds until the recipe has to be ready; with `from: ready`, and only there'),
      budget_s: seconds.describe('budget of wall time, at most `timeout_s`, see "Budgets"'),
      tolerance_s: tolerance.optional(),
    })
    .refine((clock) => (clock.from === 'ready') === (clock.warmup_timeout_s !== undefined), {
      path: ['warmup_timeout_s'],
      message: 'it is needed with `from: ready`, and only there',
    })
    .optional(),
  progress: z
    .strictObject({
      metric: metricName.describe('name of what training reports'),
      direction: direction.default('minimize').describe('which way is better'),
      stop,
    })
    .optional()
    .describe('training prints lines of progress, so that a hopeless run can be ended early'),
});

/** Phases of a task, and the commands that they run. */
export const phasesSchema = z.strictObject({
  check: phase.optional().describe('quick test of the recipe without data'),
  smoke: phase
    .extend({ data: synthetic, gpus: noGpus })
    .optional()
    .describe('training in short, without data: projects the size, and serves a rehearsal'),
  prewarm: phase
    .extend({
      data: synthetic,
      output: relative.describe(
        'name of what it leaves in `ASSAY_CACHE`, such as `cache/`: train and pack get a copy where their `reads` name it, or are empty; servers always do',
      ),
      reads: z
        .array(relative)
        .default([])
        .describe('globs of recipe files that it may see; empty: every file'),
    })
    .optional()
    .describe('fills a cache, such as that of a compiler, before any clock starts, see "Prewarm"'),
  train: train.describe('leaves files in `ASSAY_OUTPUT`'),
  pack: outputPhase
    .extend({
      gpus,
      budget_s: seconds
        .optional()
        .describe("budget of wall time; by default a tenth of training's, at least 2 s, where that has one"),
      tolerance_s: tolerance.optional(),
    })
    .optional()
    .describe('makes the artifact of what training left; without it that is the artifact'),
  profile: bare
    .optional()
    .describe(
      'shows where the time of training goes, for sessions that ask for it; run as a probe, with the training data and the limits of `train`',
    ),
  serve: z
    .strictObject({
      run: z.string().min(1).describe('command for `sh`'),
      startup_s: seconds.describe('seconds until it has to have answered its first frame'),
      gpus,
      resources: phaseResources,
      twins: z
        .boolean()
        .default(false)
        .describe('true: a second server follows the first, for the evaluator to compare'),
    })
    .optional()
    .describe('answers the evaluator, with scoring `served`'),
});

export const evaluateSchema = bare.extend({
  resources: evaluatorResources,
  env: environment
    .optional()
    .describe('variables of the evaluator by name; it is given none of `env`, which is of the recipe'),
  gpus: noGpus,
  exclusive: z
    .boolean()
    .optional()
    .describe(
      'true: nothing else of assay runs on its host meanwhile; by default only while a claim is measured',
    ),
  artifact: artifactSchema,
  rehearsal: z
    .strictObject({
      share: z.number().min(0.01).max(0.5).describe('part of a full evaluation that is scored'),
      limit_s: seconds
        .optional()
        .describe('limit that the evaluator itself sets for a full evaluation, where that is less'),
    })
    .optional()
    .describe('projects the length of an evaluation before training, see "Rehearsal"'),
});
