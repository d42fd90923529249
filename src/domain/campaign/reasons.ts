import { z } from 'zod';

const text = z.string();
const amount = z.number();

/** The limits that end a search, as opposed to the budgets that pause it. */
const endingLimitSchema = z.enum(['trials', 'submissions', 'hours', 'hoursWithoutGain']);
export type EndingLimit = z.infer<typeof endingLimitSchema>;

export const stopModeSchema = z.enum(['drain', 'now']);
/** `drain` lets accepted trials end first, `now` ends everything in flight. */
export type StopMode = z.infer<typeof stopModeSchema>;

const known = z.discriminatedUnion('kind', [
  /** A person's pause, in the person's words if there are any. */
  z.object({ kind: z.literal('pause'), said: text.nullable() }),
  /** A person's stop, while it is being carried out. */
  z.object({ kind: z.literal('stopping'), mode: stopModeSchema }),
  /** A person's stop, when everything has ended. */
  z.object({ kind: z.literal('stopped'), mode: stopModeSchema }),
  /** The workflow was cancelled on the server. */
  z.object({ kind: z.literal('cancelled') }),
  z.object({ kind: z.literal('terminated'), said: text.nullable() }),
  z.object({ kind: z.literal('limit'), limit: endingLimitSchema, at: amount, of: amount }),
  /** Amounts in dollars, or in seconds of one slot. */
  z.object({
    kind: z.literal('budget'),
    campaign: text,
    budget: z.enum(['dollars', 'acceleratorSeconds']),
    limit: amount,
    used: amount,
    needs: amount,
  }),
  /** Something that failed again and again, or for good; `code` is that of our error, if it was one. */
  z.object({ kind: z.literal('fault'), what: text, code: text.nullable(), text }),
  /** A start that nobody should search from unasked. */
  z.object({ kind: z.literal('start'), missedGate: text.nullable(), noiseFault: text.nullable() }),
  z.object({ kind: z.literal('claim'), runs: amount }),
  z.object({ kind: z.literal('lanes'), text }),
  z.object({ kind: z.literal('failure'), text }),
  /** Nobody leads the campaign any more; `workflow` is what the server says of its workflow. */
  z.object({ kind: z.literal('abandoned'), workflow: text }),
  z.object({ kind: z.literal('done') }),
  /** Words of which nothing else is known: all that was stored before reasons were data. */
  z.object({ kind: z.literal('text'), text }),
]);

/** Why a campaign is in its state, or why work may not start. */
export type Reason = z.infer<typeof known>;

/** Reads stored reasons: also the sentences of earlier versions, and kinds that only a later version knows. */
export const reasonSchema: z.ZodType<Reason> = z.union([
  known,
  text.transform((stored): Reason => ({ kind: 'text', text: stored })),
  z.looseObject({ kind: text }).transform(({ kind }): Reason => ({ kind: 'text', text: kind })),
]);

/** The words in which people read a reason. */
export function reasonText(reason: Reason): string {
  switch (reason.kind) {
    case 'pause':
      return reason.said ?? 'paused by a person';
    case 'stopping':
      return reason.mode === 'now' ? 'stopping now, asked by a person' : 'stopped by a person';
    case 'stopped':
      return `stopped by a person (${reason.mode})`;
    case 'cancelled':
      return 'cancelled';
    case 'terminated':
      return `terminated by a person${reason.said === null ? '' : `: ${reason.said}`}`;
    case 'limit':
      return limitText(reason);
    case 'budget':
      return `${shortageText(reason)}: \`${raiseCommand(reason)}\``;
    case 'fault':
      return `${reason.what}: ${reason.text}`;
    case 'start':
      return startText(reason);
    case 'claim':
      return `${reason.runs} fresh runs of the start and the frontier`;
    case 'lanes':
      return `every lane failed: ${reason.text}`;
    case 'abandoned':
      return `its workflow is ${reason.workflow}`;
    case 'done':
      return 'done';
    case 'failure':
    case 'text':
      return reason.text;
  }
}

/** The words of a reason, or null where there is none. */
export const textOfReason = (reason: Reason | null): string | null =>
  reason === null ? null : reasonText(reason);

/** Compares the data, never the words. */
export function sameReason(one: Reason | null, other: Reason | null): boolean {
  if (one === null || other === null) return one === other;
  const [a, b]: Record<string, unknown>[] = [one, other];
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].every((name) => a?.[name] === b?.[name]);
}

type Of<Kind extends Reason['kind']> = Extract<Reason, { kind: Kind }>;
export type BudgetReason = Of<'budget'>;

function limitText({ limit, at, of }: Of<'limit'>): string {
  if (limit === 'hours') return `hours (${of})`;
  if (limit === 'hoursWithoutGain') return `no gain in ${of} hours`;
  return `${limit} (${at} of ${of})`;
}

/** What a budget lacks, without the command that raises it. */
export function shortageText({ budget, limit, used, needs }: BudgetReason): string {
  const [name, what, show] =
    budget === 'dollars'
      ? ['dollar', 'a request', usd]
      : ['accelerator', 'a training', (value: number) => `${Math.ceil(value)} s`];
  return `the ${name} budget of ${show(limit)} is used up (${show(used)} spent or held, ${what} needs up to ${show(needs)})`;
}

/** The command that makes room for twice what was asked, and for no less than twice the limit. */
export function raiseCommand({ campaign, budget, limit, used, needs }: BudgetReason): string {
  const enough = roundUp(Math.max(2 * limit, used + 2 * needs));
  const flag = budget === 'dollars' ? 'dollars' : 'accelerator-seconds';
  return `assay budget ${campaign} --${flag} ${enough}`;
}

/** Two digits that count, and no fewer than asked for. */
function roundUp(value: number): number {
  const step = 10 ** (Math.floor(Math.log10(value)) - 1);
  return Number((Math.ceil(value / step - 1e-9) * step).toPrecision(2));
}

const usd = (value: number): string => `$${value >= 0.1 ? value.toFixed(2) : value.toPrecision(2)}`;

function startText({ missedGate, noiseFault }: Of<'start'>): string {
  const faults = [
    ...(missedGate === null ? [] : [`the start recipe misses a gate (${missedGate})`]),
    ...(noiseFault === null ? [] : [noiseFault]),
  ];
  const consequences = [
    ...(missedGate === null ? [] : ['the first trial within the gates is adopted']),
    ...(noiseFault === null ? [] : ['each trial is judged by a single run']),
  ];
  return `${faults.join('; ')}; resume to search from it all the same: ${consequences.join(', ')}`;
}
