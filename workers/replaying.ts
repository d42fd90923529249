import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker, type ReplayResult } from '@temporalio/worker';
import { z } from 'zod';
import { AssayError } from '../src/domain/errors.js';
import { installLogger } from './logging.js';
import { workflowBundle } from './workflow-bundle.js';

const eventSchema = z.looseObject({
  eventId: z.string(),
  eventType: z.string(),
  workflowExecutionStartedEventAttributes: z
    .looseObject({ workflowType: z.looseObject({ name: z.string() }), workflowId: z.string().optional() })
    .optional(),
});
type Event = z.infer<typeof eventSchema>;

const historySchema = z.looseObject({ events: z.array(eventSchema).min(1) });
const named = z.looseObject({ name: z.string() });

/** Point at which the present workflows diverge from a history. */
export interface Parting {
  /** The first event that they would not have made; its type as the UI writes it, and what it is about. */
  event: { id: number; type: string; about: string | null };
  message: string;
  /** `history`: this is no history that any workflow can have. */
  kind: 'nondeterminism' | 'failure' | 'history';
}

/** Result of a replay. */
export interface Replayed {
  workflowType: string;
  workflowId: string | null;
  events: number;
  /** Null when the present workflows make every command that the history has. */
  parted: Parting | null;
}

/**
 * Replays a history, as JSON of the Temporal CLI or of the SDK, against the present workflows. Nothing outside is
 * called: results of activities come from the history.
 * @throws AssayError HISTORY_INVALID when it is no history, or one in which no workflow task has started
 */
export async function replay(json: unknown): Promise<Replayed> {
  const { events } = parsed(json);
  const started = events[0]?.workflowExecutionStartedEventAttributes;
  const least = events.findIndex((event) => event.eventType === 'EVENT_TYPE_WORKFLOW_TASK_STARTED') + 1;
  if (started === undefined || least === 0)
    throw new AssayError('HISTORY_INVALID', 'the history does not begin with a workflow that has started');
  // a divergence is logged at length before it is returned
  installLogger(true);
  const workflowId = started.workflowId ?? null;
  const fault = await faultOf(events, workflowId);
  return {
    workflowType: started.workflowType.name,
    workflowId,
    events: events.length,
    parted: fault === null ? null : await place(events, least, workflowId, fault),
  };
}

function parsed(json: unknown): z.infer<typeof historySchema> {
  const history = historySchema.safeParse(json);
  if (history.success) return history.data;
  throw new AssayError(
    'HISTORY_INVALID',
    `this is no history of a workflow: ${z.prettifyError(history.error)}`,
  );
}

interface Fault {
  message: string;
  kind: Parting['kind'];
}

/** Replays once; null when nothing is wrong. */
async function faultOf(events: readonly Event[], workflowId: string | null): Promise<Fault | null> {
  const history = historyFromJSON({ events });
  const options = { workflowBundle: await workflowBundle(), replayName: 'assay-replay' };
  const histories = [{ history, workflowId: workflowId ?? 'replayed' }];
  for await (const { error } of Worker.runReplayHistories(options, histories))
    return error === undefined ? null : faultFrom(error);
  throw new AssayError('INTERNAL', 'the replay ended without a result');
}

function faultFrom(error: NonNullable<ReplayResult['error']>): Fault {
  // the SDK shows the core's failure as Rust prints it; its first message is the cause
  const quoted = /message: "((?:[^"\\]|\\.)*)"/.exec(error.message)?.[1];
  const message = quoted?.replaceAll('\\n', '\n').replace(/\\(.)/g, '$1') ?? error.message;
  if (message.includes('Nondeterminism')) return { message, kind: 'nondeterminism' };
  return { message, kind: message.includes('Fatal error in workflow machines') ? 'history' : 'failure' };
}

/** The shortest beginning of the history that fails in the same way ends with the event where they part. */
async function place(
  events: readonly Event[],
  least: number,
  workflowId: string | null,
  fault: Fault,
): Promise<Parting> {
  let [good, bad] = [least - 1, events.length];
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    const same = (await faultOf(events.slice(0, middle), workflowId))?.message === fault.message;
    if (same) bad = middle;
    else good = middle;
  }
  const event = events[bad - 1];
  if (event === undefined)
    throw new AssayError('INTERNAL', 'a replay parted from an event that is not there');
  return { event: described(event), ...fault };
}

function described(event: Event): Parting['event'] {
  const type = event.eventType
    .replace(/^EVENT_TYPE_/, '')
    .toLowerCase()
    .replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const attributes = z
    .looseObject({
      activityType: named.optional(),
      workflowType: named.optional(),
      signalName: z.string().optional(),
    })
    .safeParse(Object.entries(event).find(([key]) => key.endsWith('EventAttributes'))?.[1]).data;
  const about = attributes?.activityType?.name ?? attributes?.workflowType?.name ?? attributes?.signalName;
  return { id: Number(event.eventId), type, about: about ?? null };
}
