import { messageEvents } from '../../src/model/wire.js';
import { EDIT_TOOL } from '../../src/model/tools/workspace.js';
import { say, use, type ScriptedAnswer } from '../model/scripted-server.js';

/** Result of a fault: the request is made again, the lane waits for a person, the session ends, or goes on. */
export type Outcome = 'tried again' | 'blocked' | 'session ends' | 'told' | 'answered';

/** A fault of a provider, and the answers of the server that make it. */
export interface ProviderFault {
  what: string;
  answer: ScriptedAnswer;
  outcome: Outcome;
  /** Wording of the table for what it costs. */
  cost: 'nothing' | 'as its events told' | 'its upper bound' | 'as counted';
}

const refused = (
  status: number,
  type: string,
  message: string,
  headers?: Record<string, string>,
): ScriptedAnswer => ({
  error: { status, type, message, ...(headers === undefined ? {} : { headers }) },
});

/** A reply of several blocks, of which a stream may break off anywhere. */
export const WHOLE = [say('Let me read the recipe.'), use(EDIT_TOOL, { command: 'view', path: 'train.py' })];

const EVENTS = messageEvents({
  id: 'msg_whole',
  model: 'm',
  content: WHOLE,
  stop_reason: 'tool_use',
  usage: { input_tokens: 100, output_tokens: 20, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 },
});

/** The kind of the event after which a stream breaks off, and which of its kind it is. */
function nameOf(after: number): string {
  const names = EVENTS.map((text) => /^event: (\w+)/.exec(text)?.[1] ?? '');
  const name = names[after - 1] ?? '';
  return `${name} (${after} of ${EVENTS.length} events)`;
}

/** A stream that breaks off after each of its events. From message_delta on, the reply has arrived whole. */
const BROKEN: readonly ProviderFault[] = EVENTS.map((_, index) => index + 1).map((after): ProviderFault => {
  const whole = after >= EVENTS.length - 1;
  return {
    what: `a stream that breaks off after ${nameOf(after)}`,
    answer: { dropAfter: after, blocks: WHOLE },
    outcome: whole ? 'answered' : 'tried again',
    cost: whole ? 'as counted' : 'as its events told',
  };
});

/** The events of a tool call whose input is no JSON. */
const MALFORMED = EVENTS.map((text) =>
  text.replace(/"partial_json":"(?:[^"\\]|\\.)*"/, '"partial_json":"{oops"'),
);

export const PROVIDER_FAULTS: readonly ProviderFault[] = [
  {
    what: '429 with retry-after',
    answer: refused(429, 'rate_limit_error', 'slow down', { 'retry-after': '7' }),
    outcome: 'tried again',
    cost: 'nothing',
  },
  {
    what: '429 without retry-after',
    answer: refused(429, 'rate_limit_error', 'slow down'),
    outcome: 'tried again',
    cost: 'nothing',
  },
  {
    what: '529 overloaded',
    answer: refused(529, 'overloaded_error', 'busy'),
    outcome: 'tried again',
    cost: 'nothing',
  },
  { what: '500', answer: refused(500, 'api_error', 'oops'), outcome: 'tried again', cost: 'nothing' },
  { what: '503', answer: refused(503, 'api_error', 'away'), outcome: 'tried again', cost: 'nothing' },
  {
    what: '504, a gateway that gave up waiting',
    answer: refused(504, 'timeout_error', 'timeout'),
    outcome: 'tried again',
    cost: 'its upper bound',
  },
  {
    what: 'a connection that ends before an answer',
    answer: { drop: 'before' },
    outcome: 'tried again',
    cost: 'its upper bound',
  },
  {
    what: 'an overload inside a stream that had begun',
    answer: { errorEvent: { type: 'overloaded_error', message: 'busy' } },
    outcome: 'tried again',
    cost: 'as its events told',
  },
  ...BROKEN,
  {
    what: 'a stream without any event',
    answer: { events: [] },
    outcome: 'tried again',
    cost: 'its upper bound',
  },
  {
    what: 'a tool call whose input is no JSON',
    answer: { events: MALFORMED },
    outcome: 'answered',
    cost: 'as counted',
  },
  { what: 'an empty reply', answer: { blocks: [] }, outcome: 'told', cost: 'as counted' },
  {
    what: 'a reply of text alone',
    answer: { blocks: [say('I am done.')] },
    outcome: 'told',
    cost: 'as counted',
  },
  {
    what: 'a refusal',
    answer: { blocks: [say('I cannot')], stopReason: 'refusal' },
    outcome: 'told',
    cost: 'as counted',
  },
  {
    what: 'a reply that thinking used up (max_tokens)',
    answer: { blocks: [], stopReason: 'max_tokens' },
    outcome: 'told',
    cost: 'as counted',
  },
  {
    what: 'a pause of the provider (pause_turn)',
    answer: { blocks: [say('searching')], stopReason: 'pause_turn' },
    outcome: 'told',
    cost: 'as counted',
  },
  {
    what: 'a prompt that is too long',
    answer: refused(400, 'invalid_request_error', 'prompt is too long: 210000 tokens > 200000 maximum'),
    outcome: 'session ends',
    cost: 'nothing',
  },
  {
    what: '413, a request that is too large',
    answer: refused(413, 'request_too_large', 'too large'),
    outcome: 'session ends',
    cost: 'nothing',
  },
  {
    what: 'a full context (model_context_window_exceeded)',
    answer: { blocks: [], stopReason: 'model_context_window_exceeded' },
    outcome: 'session ends',
    cost: 'as counted',
  },
  {
    what: 'a wrong key',
    answer: refused(401, 'authentication_error', 'invalid key'),
    outcome: 'blocked',
    cost: 'nothing',
  },
  {
    what: 'an unknown model',
    answer: refused(404, 'not_found_error', 'no such model'),
    outcome: 'blocked',
    cost: 'nothing',
  },
];
