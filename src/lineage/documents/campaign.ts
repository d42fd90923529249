import { z } from 'zod';
import { frozenCampaignSchema } from '../../domain/campaign/campaign.js';
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
  /** What was asked for when there was no room. */
  needs: z.object({ microUsd: z.number(), acceleratorMs: z.number() }),
});
/** The budget that a campaign is paused by. */
export type Exhausted = z.infer<typeof exhausted>;

export const campaignDocument = z.object({
  _id: z.string(),
  owner: z.string(),
  frozen: frozenCampaignSchema,
  secret: z.string(),
  state: campaignStateSchema,
  reason: z.string().nullable(),
  control: controlSchema,
  controlReason: z.string().nullable(),
  /** Work that has been allowed to start and has not ended, by replicate. */
  active: z.record(z.string(), activeWork),
  createdAt: z.date(),
  endedAt: z.date().nullable(),
  /** When it had ended and nothing was left to settle; reconciling passes it over from then on. */
  settledAt: z.date().nullable().default(null),
  pausedSince: z.date().nullable(),
  /** Whether a person has asked it to stop. */
  stopped: z.boolean(),
  /** Set while an exhausted budget, and no person, pauses it. */
  exhausted: exhausted.nullable(),
  elapsed,
});
export type CampaignDocument = z.infer<typeof campaignDocument>;
