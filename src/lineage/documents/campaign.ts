import { z } from 'zod';
import { calibratedClassSchema } from '../../domain/devices/host-class.js';
import { reasonSchema } from '../../domain/campaign/reasons.js';
import { frozenCampaignSchema } from '../../domain/campaign/campaign.js';
import { digest } from './snapshot.js';
import { campaignStateSchema, controlSchema } from '../../domain/statuses.js';

const activeWork = z.object({
  what: z.string(),
  trial: z.number().int(),
  stage: z.string(),
  host: z.string(),
  fence: z.number().int(),
  since: z.date(),
});
export type ActiveWork = z.infer<typeof activeWork>;

const elapsed = z.object({
  tick: z.number().int(),
  ranMs: z.number(),
  stillMs: z.number(),
  sinceGainMs: z.number(),
  gainVersion: z.number().int(),
  at: z.date(),
});

const exhausted = z.object({
  budget: z.enum(['dollars', 'acceleratorSeconds']),
  /** Amount that was asked for when there was no room. */
  needs: z.object({ microUsd: z.number(), acceleratorMs: z.number() }),
});
/** Budget that a campaign is paused by. */
export type Exhausted = z.infer<typeof exhausted>;

const frozenPrompt = z.object({
  system: digest,
  /** Place in it at which the block of the role begins. */
  roleStart: z.number().int().nonnegative(),
});
export type FrozenPrompt = z.infer<typeof frozenPrompt>;

export const campaignDocument = z.object({
  _id: z.string(),
  owner: z.string(),
  /** Id of its Temporal namespace; null if the assay that stored it did not record one. */
  namespaceId: z.string().nullable().default(null),
  frozen: frozenCampaignSchema,
  secret: z.string(),
  state: campaignStateSchema,
  reason: reasonSchema.nullable(),
  control: controlSchema,
  controlReason: reasonSchema.nullable(),
  /** Work that has been allowed to start and has not ended, by replicate. */
  active: z.record(z.string(), activeWork),
  createdAt: z.date(),
  endedAt: z.date().nullable(),
  /** Time since which it has ended with nothing left to settle; reconciling skips it from then on. */
  settledAt: z.date().nullable().default(null),
  pausedSince: z.date().nullable(),
  /** True when a person has asked it to stop. */
  stopped: z.boolean(),
  /** Set while an exhausted budget, and no person, pauses it. */
  exhausted: exhausted.nullable(),
  elapsed,
  /** Classes of hosts that calibrated it; no host of another class does its work. */
  hostClasses: z.array(calibratedClassSchema).default([]),
  /** System prompt of each role, as its first session had it: later sessions have the same, whatever assay they run on. */
  prompts: z.record(z.string(), frozenPrompt).default({}),
  /** Set where it was measured elsewhere and read from an archive: its name there, and when it came. */
  foreign: z.object({ name: z.string(), importedAt: z.date() }).nullable().default(null),
});
export type CampaignDocument = z.infer<typeof campaignDocument>;
