/** A reply of a model as far as it decides how its session goes on. */
export interface SaidReply {
  stopReason: string;
  /** Tool calls that are answered, cut ones included. */
  calls: number;
  /** Calls that arrived whole. */
  whole: number;
}

/** Step that follows a reply: its tools run, the model is told something, it just goes on, or the session ends. */
export type Continuation =
  | { kind: 'tools' }
  | { kind: 'told'; words: string }
  | { kind: 'resumed' }
  | { kind: 'end'; because: string };

/** Limits of one reply, in tokens. */
export interface ReplyTokens {
  /** Tokens that the first reply may have. */
  first: number;
  /** Tokens that a reply may have after all raises. */
  most: number;
}

/** Replies in a row without a tool call that are answered with words; the next one ends the session. */
export const NUDGES = 2;
/** Pauses in a row that are continued; a provider that pauses for ever is nudged as a silent model is. */
export const PAUSES = 10;

export const NUDGE = 'You called no tool. Continue with a tool call, or end the session with finish.';
const REFUSED =
  'Your last reply was stopped by a safety filter of the provider, and is not part of this conversation. Go on with the work on the recipe in another way, by a tool call, or end the session with finish.';
const cutText = (next: number): string =>
  `Your last reply was cut off at its limit of tokens before a tool call was whole, so nothing was done. The next one may have ${next} tokens, thinking included. Think less, or make a smaller edit.`;

/** Running count over the replies of a session. */
interface Course {
  silent: number;
  pauses: number;
  maxTokens: number;
}

/** Says what follows each reply of a session, in order, and how many tokens the next reply may have. */
export function courseOf(
  replies: readonly SaidReply[],
  tokens: ReplyTokens,
): { steps: Continuation[]; maxTokens: number } {
  const course: Course = { silent: 0, pauses: 0, maxTokens: tokens.first };
  const steps = replies.map((reply) => stepAfter(course, reply, tokens));
  return { steps, maxTokens: course.maxTokens };
}

function stepAfter(course: Course, reply: SaidReply, { most }: ReplyTokens): Continuation {
  if (reply.stopReason === 'max_tokens' && reply.whole === 0) return afterCut(course, reply, most);
  if (reply.calls > 0) {
    course.silent = 0;
    course.pauses = 0;
    return { kind: 'tools' };
  }
  if (reply.stopReason === 'model_context_window_exceeded')
    return { kind: 'end', because: 'the context of the model is full' };
  if (reply.stopReason === 'pause_turn' && course.pauses < PAUSES) {
    course.pauses += 1;
    return { kind: 'resumed' };
  }
  return nudged(course, reply, reply.stopReason === 'refusal' ? REFUSED : NUDGE);
}

/** Raises the limit; a reply that is cut at the highest one counts as silent. */
function afterCut(course: Course, reply: SaidReply, most: number): Continuation {
  const raised = Math.max(course.maxTokens, Math.min(most, 2 * course.maxTokens));
  const words = cutText(raised);
  if (raised === course.maxTokens) return nudged(course, reply, words);
  course.maxTokens = raised;
  return { kind: 'told', words };
}

function nudged(course: Course, { stopReason }: SaidReply, words: string): Continuation {
  course.silent += 1;
  if (course.silent <= NUDGES) return { kind: 'told', words };
  return { kind: 'end', because: `the model called no tool ${course.silent} times in a row (${stopReason})` };
}

/** End of a session that is known before its last request is made; null while there is none. */
export type LastTurn = { because: string; words: string; submits: boolean } | null;

/**
 * Says whether a turn is the last one of its session. After its trials a session submits nothing more; at its cap of
 * turns a submit is still measured, though this session does not read its result.
 */
export function lastTurn(
  at: { turn: number; trials: number },
  caps: { turns: number; sessionTrials: number | null },
): LastTurn {
  if (caps.sessionTrials !== null && at.trials >= caps.sessionTrials) {
    const because = `the cap of ${caps.sessionTrials} trials a session`;
    return {
      because,
      words: `This session has had its ${caps.sessionTrials} trials and ends with your next reply: a submit in it is not measured. ${LEAVE_NOTE}`,
      submits: false,
    };
  }
  // a session of a single turn has nothing to tell yet
  if (at.turn + 1 < caps.turns || at.turn === 0) return null;
  return {
    because: `the cap of ${caps.turns} turns`,
    words: `This session ends with your next reply, the last of its ${caps.turns} turns. ${LEAVE_NOTE}`,
    submits: true,
  };
}

const LEAVE_NOTE =
  'Call finish with a note of what you learned and what should be tried next: the next session of your role reads your notes, and nothing else of this conversation.';
