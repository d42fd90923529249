import { z } from 'zod';
import { limitFields, limitsSchema, optionalLimits } from '../money/budget.js';
import { ruleNameSchema, ruleSchema, ruleVersionSchema } from '../decision/records/record.js';
import { HOST_CLASSES } from '../devices/calibration.js';
import { rolesSchema } from '../session/roles.js';
import { donorsSchema } from '../session/donors.js';
import { frozenSessionFields, sessionInputFields } from '../session/session-settings.js';
import { lineageModeSchema } from '../session/lineage-mode.js';
import { MOST_PROBES, PROBES, workbenchChoiceSchema, workbenchSchema } from '../session/workbench.js';
import { tierNameSchema } from '../task/isolation.js';
import { modelPriceSchema } from '../money/price.js';

const positive = z.number().positive();
const count = z.number().int().positive();

const roleName = z.string().regex(/^[a-z][a-z0-9-]{0,47}$/, 'the name of a specialist of the task');

/** Submission of a person's own trial; its files are already in the store. */
export const submissionSchema = z.strictObject({
  snapshot: z.string().regex(/^[0-9a-f]{64}$/),
  hypothesis: z.string().min(1).max(4000),
  expectedDelta: z.number().nullable().default(null),
  /** Domain of the task that the edit is of. */
  domain: z.string().max(48).nullable().default(null),
  /** Identifies a repeated request. */
  requestId: z.string().regex(/^[A-Za-z0-9-]{1,64}$/),
});
export type Submission = z.infer<typeof submissionSchema>;

/** Submission as stored with a campaign; its contents were checked when the campaign began. */
const storedSubmissionSchema = z.object({
  snapshot: z.string(),
  hypothesis: z.string(),
  expectedDelta: z.number().nullable().default(null),
  domain: z.string().nullable().default(null),
  requestId: z.string(),
}) satisfies z.ZodType<Submission>;

/** Recipes of a warm start. */
export const MOST_WARM = 20;

/** Bounds of `submissionRuns`. */
export const SUBMISSION_RUNS = { min: 2, max: 20 };

/** Fresh runs of the start, and as many of the frontier, in all claims: each is held in the budget from the beginning. */
const MAX_CLAIM_RUNS = 500;

/** Fresh runs of each in a claim, unless the input or the task says otherwise. */
export const CLAIM_RUNS = 8;

/** Priority of a campaign that names none, from 1, the first, to 5. */
export const DEFAULT_PRIORITY = 3;

/** The input of a campaign: one JSON object, of which only `task` has no default. */
export const campaignInputSchema = z
  .strictObject({
    task: z.string().min(1),
    ...optionalLimits,
    trials: limitFields.trials.default(24),
    /** Replaces the training budget of the task, in seconds. */
    trainSeconds: positive.max(7 * 86_400).optional(),
    /** Rule that compares candidates with the frontier. */
    rule: ruleNameSchema.default('posterior'),
    /** Runs of the start recipe before the search, from which its noise is known; default: what the task says. */
    calibration: count.max(100).optional(),
    /** Fresh runs of the start and of the frontier when the search has ended, for what is claimed; 0: claim nothing. */
    claim: z
      .strictObject({
        /** Default: 8; 1 in a task that declares itself deterministic. */
        runs: z
          .number()
          .int()
          .refine(
            (runs) => runs === 0 || (runs >= 2 && runs <= 100),
            '0, or 2 to 100 of each; where the task is deterministic it is left out, and is 1',
          )
          .optional(),
        /** Confidence of all its claims together. */
        confidence: z.number().min(0.5).max(0.999999).default(0.99),
        /** Milestones: rising numbers of ended trials at which the frontier is also claimed. */
        at: z
          .array(count.max(1_000_000))
          .max(20)
          .refine((at) => at.every((trials, i) => trials > (at[i - 1] ?? 0)), 'rising numbers of trials')
          .default([]),
      })
      .prefault({}),
    /** One lane each unless `lanes` says more; default: all specialists of the task. */
    specialists: z
      .array(z.union([roleName, z.strictObject({ role: roleName, lanes: count.max(64) })]))
      .min(1)
      .optional(),
    /**
     * Proposers: the specialists of the task, so many lanes with one and the same prompt, or a single generalist.
     */
    roles: rolesSchema.default('specialists'),
    ...sessionInputFields,
    /** After this many seconds without a heartbeat a training counts as lost. */
    trainHeartbeatSeconds: positive.max(3600).default(120),
    /** Its work comes before that of campaigns with a higher number, where both wait for the same hosts. */
    priority: z.number().int().min(1).max(5).default(DEFAULT_PRIORITY),
    /** Weakest isolation tier that its recipes may run under; weaker workers leave its work to others. */
    isolation: tierNameSchema.optional(),
    /** `any`: hosts of another class than the first train its trials once its start was measured on them. */
    hostClasses: z.enum(HOST_CLASSES).default('one'),
    /** `off`: a control arm, whose conversations see no outcome of a trial that they did not submit themselves. */
    lineage: lineageModeSchema.default('on'),
    /** Commands of sessions on a copy of their workspace; `auto`: on hosts that isolate them. */
    workbench: workbenchChoiceSchema.default('auto'),
    /** Probes of one session; 0: none. */
    probes: z.number().int().min(0).max(MOST_PROBES).default(PROBES),
    /** Domains that the provider may search and fetch from for a session, or `any`; none unless it says so. */
    donors: donorsSchema.default([]),
    /** Recipes of another campaign that are measured as trials before the search begins. */
    warmStart: z.array(submissionSchema).max(MOST_WARM).default([]),
    submission: submissionSchema.optional(),
    /** Runs of the start and of the submission each, fixed in advance; default: one, and what the rule asks for. */
    submissionRuns: z.number().int().min(SUBMISSION_RUNS.min).max(SUBMISSION_RUNS.max).optional(),
  })
  .superRefine((input, context) => {
    const wrong = claimFault(input.trials, input.claim);
    if (wrong !== null) context.addIssue({ code: 'custom', path: ['claim', 'at'], message: wrong });
    if (input.roles !== 'specialists' && input.specialists !== undefined)
      context.addIssue({
        code: 'custom',
        path: ['specialists'],
        message: `only with roles "specialists", not "${input.roles}"`,
      });
    if (input.model !== undefined && input.models !== undefined)
      context.addIssue({ code: 'custom', path: ['models'], message: 'either "model" or "models"' });
    if (input.submission !== undefined && input.warmStart.length > 0)
      context.addIssue({
        code: 'custom',
        path: ['warmStart'],
        message: 'only in a search, not beside a submission',
      });
    const fault = submissionRunsFault(input);
    if (fault !== null) context.addIssue({ code: 'custom', path: ['submissionRuns'], message: fault });
  });
export type CampaignInput = z.infer<typeof campaignInputSchema>;

/** Describes the fault in fixed numbers of runs, if any. */
function submissionRunsFault({
  submission,
  submissionRuns,
  calibration,
  rule,
}: {
  rule: z.infer<typeof ruleNameSchema>;
  submission?: unknown;
  submissionRuns?: number | undefined;
  calibration?: number | undefined;
}): string | null {
  if (submissionRuns === undefined) return null;
  if (submission === undefined)
    return 'only together with a submission: a search measures a trial again where its rule says so';
  if (calibration !== undefined && calibration !== submissionRuns)
    return `the start is measured as often as the trial, not ${calibration} times (calibration)`;
  if (rule === 'posterior@1') return 'the first version of the rules does not know it';
  return null;
}

/** Describes the fault in milestones, if any. */
function claimFault(
  trials: number,
  { runs = CLAIM_RUNS, at }: { runs?: number | undefined; at: readonly number[] },
): string | null {
  const last = at.at(-1) ?? 0;
  if (last > trials) return `${last} is beyond the ${trials} trials`;
  if (last > 0 && runs === 0) return 'nothing is claimed (claim.runs is 0)';
  const claims = at.length + 1;
  if (runs * claims > MAX_CLAIM_RUNS)
    return `${claims} claims of ${runs} runs are over ${MAX_CLAIM_RUNS} runs of each`;
  return null;
}

/** One lane of a campaign. */
export const laneSchema = z.object({ role: z.string(), lane: z.string() });
export type Lane = z.infer<typeof laneSchema>;

export const SEARCH_ATTRIBUTES = [
  'AssayTask',
  'AssayRole',
  'AssayStatus',
  'AssayScore',
  'AssayTrial',
] as const;
export const searchAttributeSchema = z.enum(SEARCH_ATTRIBUTES);
export type SearchAttributeName = z.infer<typeof searchAttributeSchema>;

/** All settings of a campaign, with defaults resolved once; workflows branch only on these and on results. */
export const frozenCampaignSchema = z.object({
  name: z.string(),
  owner: z.string(),
  task: z.object({
    name: z.string(),
    digest: z.string(),
    title: z.string(),
    /** Profile of a task that has some. */
    profile: z.string().optional(),
  }),
  pool: z.string(),
  /** Slots that a training takes; null: frozen by an assay that had one queue for all sizes. */
  slots: z.number().int().positive().nullable().default(null),
  /** Accelerators that its checks and its evaluations take; 0: none, and they need no lease. */
  gpus: z
    .object({ prepare: z.number().int(), evaluate: z.number().int() })
    .default({ prepare: 0, evaluate: 0 }),
  /** From 1, served first, to 5. */
  priority: z.number().int().default(DEFAULT_PRIORITY),
  lanes: z.array(laneSchema),
  /** Limits at the start; the current ones are in the budget's document. */
  limits: limitsSchema,
  trainSeconds: z.number().nullable(),
  calibration: z.number().int(),
  model: z.object({ id: z.string(), offline: z.boolean() }),
  /**
   * Price that the whole campaign is charged at, whatever prices change to; null if none was known for its model.
   */
  price: modelPriceSchema.nullable().default(null),
  ...frozenSessionFields,
  trainHeartbeatSeconds: z.number(),
  /** Wall limits of the phases together, in seconds, for the activities' timeouts. */
  phaseSeconds: z.object({ prepare: z.number(), train: z.number(), evaluate: z.number() }),
  /** True where evaluations have their host to themselves. */
  exclusive: z.object({ search: z.boolean(), claim: z.boolean() }),
  /** Search attributes that the server knows; writing any other fails. */
  attributes: z.array(searchAttributeSchema),
  /** Weakest tier that may run its recipes; null allows each. */
  isolation: tierNameSchema.nullable().default(null),
  hostClasses: z.enum(HOST_CLASSES).default('one'),
  lineage: lineageModeSchema.default('on'),
  workbench: workbenchSchema.default('off'),
  probes: z.number().int().default(0),
  donors: donorsSchema.default([]),
  rule: ruleSchema,
  /**
   * Version of the decision rules, fixed to the campaign's end; campaigns from before there were several name none.
   */
  ruleVersion: ruleVersionSchema.default(1),
  claim: z.object({
    runs: z.number().int(),
    /** True if each run is one measurement and not a sample, as the task declares. */
    deterministic: z.boolean().default(false),
    /** Confidence of each claim: one per milestone and one at the end. */
    confidence: z.number(),
    /** 1 − the confidence of all claims together. */
    error: z.number(),
    at: z.array(z.number().int()),
  }),
  warmStart: z.array(storedSubmissionSchema).default([]),
  submission: storedSubmissionSchema.nullable(),
  /** Runs of the start and of the submission each, fixed in advance; null where the rule says how many. */
  submissionRuns: z.number().int().nullable().default(null),
  startedAt: z.string(),
});
export type FrozenCampaign = z.infer<typeof frozenCampaignSchema>;
