import { z } from 'zod';

const text = z.string();
const amount = z.number();

/** Limits that end a search, as opposed to the budgets that pause it. */
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
  /** A final failure; `code` is that of our error, if it was one. */
  z.object({ kind: z.literal('fault'), what: text, code: text.nullable(), text }),
  /** A start that is searched from only if a person accepts it. */
  z.object({ kind: z.literal('start'), missedGate: text.nullable(), noiseFault: text.nullable() }),
  z.object({ kind: z.literal('claim'), runs: amount }),
  z.object({ kind: z.literal('lanes'), text }),
  z.object({ kind: z.literal('failure'), text }),
  /** A search that ended without a trial; `because`: the last words of its lanes. */
  z.object({ kind: z.literal('noProposal'), lanes: amount, because: text }),
  /** No workflow leads the campaign any more; `workflow` is its state on the server. */
  z.object({ kind: z.literal('abandoned'), workflow: text }),
  z.object({ kind: z.literal('done') }),
  /** Plain words: everything that was stored before reasons were data. */
  z.object({ kind: z.literal('text'), text }),
]);

/** Reason for the state of a campaign, or for not starting work. */
export type Reason = z.infer<typeof known>;

/**
 * Reads stored reasons, including the sentences of earlier versions and kinds that only a later version knows.
 */
export const reasonSchema: z.ZodType<Reason> = z.union([
  known,
  text.transform((stored): Reason => ({ kind: 'text', text: stored })),
  z.looseObject({ kind: text }).transform(({ kind }): Reason => ({ kind: 'text', text: kind })),
]);

/** Renders a reason in words. */
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
    case 'noProposal':
      return `no lane proposed a trial: ${reason.because}`;
    case 'abandoned':
      return `its workflow is ${reason.workflow}`;
    case 'done':
      return 'done';
    case 'failure':
    case 'text':
      return reason.text;
  }
}

/** Renders a reason in words; null stays null. */
export const textOfReason = (reason: Reason | null): string | null =>
  reason === null ? null : reasonText(reason);

/** Returns true when two reasons hold equal data; words are not compared. */
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

/** Says what a budget lacks, without the command that raises it. */
export function shortageText({ budget, limit, used, needs }: BudgetReason): string {
  const [name, what, show] =
    budget === 'dollars'
      ? ['dollar', 'a request', usd]
      : ['accelerator', 'a training', (value: number) => `${Math.ceil(value)} s`];
  return `the ${name} budget of ${show(limit)} is used up (${show(used)} spent or held, ${what} needs up to ${show(needs)})`;
}

/** Returns the command that makes room for twice what was asked, and for at least twice the limit. */
export function raiseCommand({ campaign, budget, limit, used, needs }: BudgetReason): string {
  const enough = roundUp(Math.max(2 * limit, used + 2 * needs));
  const flag = budget === 'dollars' ? 'dollars' : 'accelerator-seconds';
  return `assay budget ${campaign} --${flag} ${enough}`;
}

/** Rounds up to two significant digits. */
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
