import { z } from 'zod';
import { SAME_AT } from '../../domain/text/near-duplicates.js';
import { DTYPES } from '../../domain/task/schema/artifact.js';
import type { Task } from '../../domain/task/task.js';

/**
 * Stored task.yaml. Its content was checked when it was pushed, so only its shape is required here: later rules of
 * task.yaml do not apply to tasks that campaigns already run with.
 */
const direction = z.enum(['minimize', 'maximize']);
const strings = z.array(z.string());
const number = z.number().optional();
const limits = { cpus: number, memory_mb: number, shm_mb: number, disk_mb: number, processes: number };
const bare = z.object({ run: z.string(), timeout_s: z.number() });
const phase = bare.extend({ resources: z.object(limits).optional() });
const outputPhase = phase.extend({ output: z.string(), reads: strings.default([]) });
const synthetic = z.literal('synthetic').optional();
const tolerance = z.number().optional();

const train = outputPhase.extend({
  clock: z
    .object({
      from: z.enum(['data_visible', 'ready']),
      warmup_timeout_s: z.number().optional(),
      budget_s: z.number(),
      tolerance_s: tolerance,
    })
    .optional(),
  progress: z
    .object({
      metric: z.string(),
      direction: direction.default('minimize'),
      stop: z.object({
        after: z.number().default(0.3),
        spread: z.number(),
        spreads: z.number().default(4),
        catch_up: z.number().default(1.5),
      }),
    })
    .optional(),
});

const phases = z.object({
  check: phase.optional(),
  smoke: phase.extend({ data: synthetic, gpus: z.number().default(0) }).optional(),
  prewarm: phase.extend({ data: synthetic, output: z.string(), reads: strings.default([]) }).optional(),
  train,
  pack: outputPhase
    .extend({ budget_s: z.number().optional(), tolerance_s: tolerance, gpus: z.number().optional() })
    .optional(),
  profile: bare.optional(),
  serve: z
    .object({
      run: z.string(),
      startup_s: z.number(),
      twins: z.boolean().default(false),
      gpus: z.number().optional(),
      resources: z.object(limits).optional(),
    })
    .optional(),
});

const declared = z.object({ path: z.string(), dtype: z.enum(DTYPES), shape: z.array(z.number()) });

const gate = z.object({
  name: z.string(),
  metric: z.string(),
  max: z.number().optional(),
  min: z.number().optional(),
  known: z.enum(['static', 'check', 'pack', 'train', 'evaluate']),
  test: z.enum(['exact', 'statistical']).default('exact'),
  screen_z: z.number().optional(),
  claim_z: z.number().optional(),
});

const source = z.object({
  repository: z.string(),
  commit: z.string(),
  files: z.array(
    z.object({
      from: z.string(),
      to: z.string(),
      sha256: z.string(),
      unpack: z.object({ as: z.literal('lzma-b85'), sha256: z.string() }).optional(),
    }),
  ),
  patch: z.string().optional(),
  patched: z.record(z.string(), z.string()).optional(),
});

export const storedTask = z.object({
  schema: z.literal('assay.task/1'),
  name: z.string(),
  title: z.string(),
  profile: z.string().optional(),
  metric: z.object({ name: z.string(), unit: z.string(), direction, limit: z.number().optional() }),
  decision_metric: z.union([z.string(), z.object({ name: z.string(), direction })]).optional(),
  recipe_reported: strings.default([]),
  guards: z
    .array(z.object({ metric: z.string(), direction: direction.default('minimize'), margin: z.number() }))
    .default([]),
  recipe: z.object({
    root: z.string().default('recipe'),
    editable: strings,
    counted: z
      .union([
        strings,
        z.object({
          files: strings,
          as: z.enum(['raw', 'lzma-b85']).default('raw'),
          minified: z.boolean().default(false),
        }),
      ])
      .default([]),
    knobs: z.enum(['marked', 'none']).default('none'),
    domains: z.record(z.string(), z.string()).default({}),
  }),
  source: z.union([source, z.array(source)]).optional(),
  data: z
    .object({
      prepare: z.string(),
      train: z.string(),
      search: z.string(),
      claim: z.string().optional(),
      reveal: z
        .object({
          folder: z.string(),
          permute: z.object({ file: z.string(), rows: z.number() }).optional(),
        })
        .optional(),
    })
    .optional(),
  python: z.string().optional(),
  requirements: z.string().optional(),
  wheels: z.array(z.object({ url: z.string(), sha256: z.string() })).optional(),
  env: z.record(z.string(), z.string()).optional(),
  runtime: z.object({ paths: strings }).optional(),
  resources: z.object({
    pool: z.string().default('cpu'),
    slots: z.number().default(1),
    gpus: z.number().default(0),
    gpu_kind: z.string().optional(),
    gpu_memory_mb: number,
    cpus: number,
    host: z.literal('exclusive').optional(),
    memory_mb: z.number().default(2048),
    shm_mb: z.number().optional(),
    disk_mb: z.number().default(512),
    log_kb: z.number().default(256),
    processes: z.number().default(64),
  }),
  phases,
  replicate: z
    .object({
      processes: z.number().default(1),
      aggregate: z.enum(['mean', 'median']).default('mean'),
      deterministic: z.boolean().default(false),
    })
    .default({ processes: 1, aggregate: 'mean', deterministic: false }),
  scoring: z.enum(['served', 'direct']),
  evaluate: phase.extend({
    env: z.record(z.string(), z.string()).optional(),
    gpus: z.number().default(0),
    artifact: z.array(z.union([z.string(), declared])).optional(),
    exclusive: z.boolean().optional(),
    rehearsal: z.object({ share: z.number(), limit_s: z.number().optional() }).optional(),
  }),
  gates: z.array(gate).default([]),
  calibration: z.object({ replicates: z.number().default(5) }).default({ replicates: 5 }),
  novelty: z.object({ threshold: z.number().default(SAME_AT) }).default({ threshold: SAME_AT }),
  specialists: strings,
}) satisfies z.ZodType<Task>;
