import { z } from 'zod';
import { isHeld, type RunControl } from '../statuses.js';

const count = z.number().int().positive();
const hours = z
  .number()
  .positive()
  .max(24 * 365);

/** Limits in the units that people use. */
export const limitFields = {
  /** Trials that took a number and were not duplicates. */
  trials: count.max(1_000_000),
  /** All accepted submissions. */
  submissions: count.max(4_000_000),
  /** Hours at work, recorded pauses left out. */
  hours,
  /** Hours at work since the frontier last moved. */
  hoursWithoutGain: hours,
  /** US dollars. */
  dollars: z.number().positive().max(1e9),
  /** Seconds of one slot. */
  acceleratorSeconds: z.number().positive().max(1e12),
};
const limitNameSchema = z.keyof(z.object(limitFields));
export type LimitName = z.infer<typeof limitNameSchema>;
export const LIMIT_NAMES = limitNameSchema.options;

/** Effect of reaching a limit on a campaign. */
export const AT_LIMIT = {
  trials: 'ends',
  submissions: 'ends',
  hours: 'ends',
  hoursWithoutGain: 'ends',
  dollars: 'pauses',
  acceleratorSeconds: 'pauses',
} as const satisfies Record<LimitName, 'ends' | 'pauses'>;
/** Limits that pause; what they limit is reserved before it is spent. */
export type BudgetName = { [N in LimitName]: (typeof AT_LIMIT)[N] extends 'pauses' ? N : never }[LimitName];

/** The limits as they are stored; null is no limit. */
export const limitsSchema = z.object({
  trials: z.number().int(),
  submissions: z.number().int(),
  hours: z.number().nullable(),
  hoursWithoutGain: z.number().nullable(),
  microUsd: z.number().int().nullable(),
  acceleratorMs: z.number().int().nullable(),
});
export type Limits = z.infer<typeof limitsSchema>;

/** Submissions that a campaign takes for each trial unless it says otherwise. */
const SUBMISSIONS_PER_TRIAL = 4;

/** Every limit, each of which may be left out. */
export const optionalLimits = z.object(limitFields).partial().shape;

const changeFields = z.strictObject({
  ...optionalLimits,
  hours: limitFields.hours.nullable().optional(),
  hoursWithoutGain: limitFields.hoursWithoutGain.nullable().optional(),
  dollars: limitFields.dollars.nullable().optional(),
  acceleratorSeconds: limitFields.acceleratorSeconds.nullable().optional(),
  /** Name of the person who asks, as people should read it. */
  by: z.string().min(1).max(200).optional(),
});

/** Change of limits that a person asks for: fields left out stay, null takes a limit away. */
export const limitChangeSchema = changeFields.refine(
  (change) => LIMIT_NAMES.some((limit) => change[limit] !== undefined),
  `names no limit; there are ${LIMIT_NAMES.join(', ')}`,
);
export type LimitChange = z.infer<typeof limitChangeSchema>;

/** Those of the asked fields that end a campaign rather than pause it. */
export function endingFields(change: LimitChange): LimitName[] {
  return LIMIT_NAMES.filter((limit) => AT_LIMIT[limit] === 'ends' && change[limit] !== undefined);
}

/** The limits that a campaign starts with. */
export function limitsFrom(input: Pick<LimitChange, LimitName> & { trials: number }): Limits {
  return {
    trials: input.trials,
    submissions: input.submissions ?? SUBMISSIONS_PER_TRIAL * input.trials,
    hours: input.hours ?? null,
    hoursWithoutGain: input.hoursWithoutGain ?? null,
    microUsd: scaled(input.dollars ?? null, 1e6),
    acceleratorMs: scaled(input.acceleratorSeconds ?? null, 1000),
  };
}

/** The limits after a change. Submissions follow the trials for as long as they are what they are by default. */
export function changedLimits(before: Limits, change: LimitChange): Limits {
  const followed =
    change.trials !== undefined && before.submissions === SUBMISSIONS_PER_TRIAL * before.trials
      ? SUBMISSIONS_PER_TRIAL * change.trials
      : before.submissions;
  const chosen = <T>(asked: T | undefined, otherwise: T): T => (asked === undefined ? otherwise : asked);
  return {
    trials: change.trials ?? before.trials,
    submissions: change.submissions ?? followed,
    hours: chosen(change.hours, before.hours),
    hoursWithoutGain: chosen(change.hoursWithoutGain, before.hoursWithoutGain),
    microUsd: change.dollars === undefined ? before.microUsd : scaled(change.dollars, 1e6),
    acceleratorMs:
      change.acceleratorSeconds === undefined
        ? before.acceleratorMs
        : scaled(change.acceleratorSeconds, 1000),
  };
}

/** Limits in the units that people use. */
export function limitsInUnits(limits: Limits): Record<LimitName, number | null> {
  const { microUsd, acceleratorMs, ...others } = limits;
  return { ...others, dollars: scaled(microUsd, 1e-6), acceleratorSeconds: scaled(acceleratorMs, 1e-3) };
}

function scaled(value: number | null, by: number): number | null {
  if (value === null) return null;
  return by >= 1 ? Math.round(value * by) : value / Math.round(1 / by);
}

/** Amounts in millionths of a dollar and milliseconds of one slot. */
export interface Money {
  microUsd: number;
  acceleratorMs: number;
}

/** The first budget that leaves no room for what is asked, beside what is spent or held; null where all do. */
export function lackingBudget(limits: Limits, held: Money, needs: Money): BudgetName | null {
  const over = (limit: number | null, sum: number): boolean => limit !== null && sum > limit;
  if (needs.microUsd > 0 && over(limits.microUsd, held.microUsd + needs.microUsd)) return 'dollars';
  if (needs.acceleratorMs > 0 && over(limits.acceleratorMs, held.acceleratorMs + needs.acceleratorMs))
    return 'acceleratorSeconds';
  return null;
}

/** Why a budget pauses a campaign, and the command that goes on. */
export function exhaustedReason(
  campaign: string,
  budget: BudgetName,
  { limits, held, needs }: { limits: Limits; held: Money; needs: Money },
): string {
  const dollars = budget === 'dollars';
  const [limit, used, more] = dollars
    ? [limits.microUsd ?? 0, held.microUsd, needs.microUsd].map((value) => value / 1e6)
    : [limits.acceleratorMs ?? 0, held.acceleratorMs, needs.acceleratorMs].map((value) => value / 1000);
  const enough = roundUp(Math.max(2 * (limit ?? 0), (used ?? 0) + 2 * (more ?? 0)));
  const show = dollars ? usd : (value: number): string => `${Math.ceil(value)} s`;
  return dollars
    ? `the dollar budget of ${show(limit ?? 0)} is used up (${show(used ?? 0)} spent or held, a request needs up to ` +
        `${show(more ?? 0)}): \`assay budget ${campaign} --dollars ${enough}\``
    : `the accelerator budget of ${show(limit ?? 0)} is used up (${show(used ?? 0)} spent or held, a training needs ` +
        `up to ${show(more ?? 0)}): \`assay budget ${campaign} --accelerator-seconds ${enough}\``;
}

/** Two digits that count, and no fewer than asked for. */
function roundUp(value: number): number {
  const step = 10 ** (Math.floor(Math.log10(value)) - 1);
  return Number((Math.ceil(value / step - 1e-9) * step).toPrecision(2));
}

const usd = (value: number): string => `$${value >= 0.1 ? value.toFixed(2) : value.toPrecision(2)}`;

/** Returns true when a limit can still end a campaign under this control. */
export function isUnended(control: RunControl): boolean {
  return control === 'running' || isHeld(control);
}

/** Progress that the ending limits are compared with. */
export interface Progress {
  submitted: number;
  counted: number;
  /** Milliseconds at work. */
  ranMs: number;
  /** Milliseconds at work since the frontier last moved. */
  sinceGainMs: number;
}

const HOUR_MS = 3_600_000;

/** The first limit that ends the search, in the words that people read, or null. */
export function reachedLimit(limits: Limits, progress: Progress): string | null {
  const { submitted, counted, ranMs, sinceGainMs } = progress;
  if (counted >= limits.trials) return `trials (${counted} of ${limits.trials})`;
  if (submitted >= limits.submissions) return `submissions (${submitted} of ${limits.submissions})`;
  if (limits.hours !== null && ranMs >= limits.hours * HOUR_MS) return `hours (${limits.hours})`;
  if (limits.hoursWithoutGain !== null && sinceGainMs >= limits.hoursWithoutGain * HOUR_MS)
    return `no gain in ${limits.hoursWithoutGain} hours`;
  return null;
}
