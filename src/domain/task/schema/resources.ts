import { z } from 'zod';
import { taskName } from './fields.js';

const count = z.number().int().positive();
const MEMORY =
  'what its processes hold together, files in memory included, without pages of files that they only read; not that of accelerators';

/** A pattern that names of accelerators are looked up by. */
const pattern = z.string().min(1).max(200).refine(isPattern, 'a regular expression such as "H100|H200"');

function isPattern(text: string): boolean {
  try {
    return new RegExp(text).source !== '';
  } catch {
    return false;
  }
}

const cpus = count
  .max(4096)
  .optional()
  .describe(
    "the most processors that a phase may use; by default the task's slots in the pool `cpu`, elsewhere its share of the host's, which is the most in any case",
  );

export const resourcesSchema = z.strictObject({
  pool: taskName.default('cpu').describe('kind of host that trains, as in `assay worker --pool`'),
  slots: count.default(1).describe('slots of a host that a training takes: cores, in `cpu`'),
  gpus: z
    .number()
    .int()
    .nonnegative()
    .max(64)
    .default(0)
    .describe(
      'accelerators that a training takes, and every phase that says nothing else, see "Accelerators"; they count in place of `slots`',
    ),
  host: z
    .literal('exclusive')
    .optional()
    .describe(
      '`exclusive`: nothing else of assay runs on its host while it trains, so that times are those of the recipe alone',
    ),
  gpu_kind: pattern
    .optional()
    .describe(
      'regular expression, such as `H100|H200`, found in the name of the accelerators, in upper or lower case; hosts with others leave the work',
    ),
  gpu_memory_mb: count
    .optional()
    .describe('least memory of each accelerator, in MiB; hosts with less leave the work'),
  cpus,
  memory_mb: count.default(2048).describe(`memory of a phase, in MiB: ${MEMORY}`),
  shm_mb: count
    .optional()
    .describe(
      'size of /dev/shm, in MiB, at tiers B and C; its files count towards memory_mb. Left out: a quarter of memory_mb',
    ),
  disk_mb: count.default(512).describe('what a phase may write, in MiB'),
  log_kb: count.default(256).describe('log that is kept of a phase, in KiB; the end where it is longer'),
  processes: count.default(64).describe('processes and threads of a phase at one time'),
});

const ofPhase = {
  memory_mb: count.optional().describe('in place of `resources.memory_mb`'),
  disk_mb: count.optional().describe('in place of `resources.disk_mb`'),
  processes: count.optional().describe('in place of `resources.processes`'),
};

/** Limits of one phase in place of those of the task. */
export const phaseResources = z
  .strictObject({
    cpus: count.max(4096).optional().describe('in place of `resources.cpus`'),
    shm_mb: count.optional().describe('in place of `resources.shm_mb`'),
    ...ofPhase,
  })
  .optional()
  .describe('limits of this phase alone; its accelerators are its `gpus`');

/** Limits of the evaluator: it runs outside of the sandbox, where processors and /dev/shm are those of the host. */
export const evaluatorResources = z
  .strictObject(ofPhase, {
    error: ({ code, keys }) =>
      code === 'unrecognized_keys' && keys.some((key) => key === 'cpus' || key === 'shm_mb')
        ? 'the evaluator runs outside of the sandbox, where nothing bounds its processors and /dev/shm: leave out cpus and shm_mb'
        : undefined,
  })
  .optional()
  .describe('limits of the evaluator alone; its accelerators are its `gpus`');
