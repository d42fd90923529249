import type Anthropic from '@anthropic-ai/sdk';
import { z } from 'zod';
import type { CacheTime } from '../domain/session/cache-time.js';
import { NUDGE, type Continuation } from '../domain/session/continuation.js';
import { replySchema, toolUses, type Exchange, type ReplyBlock } from '../domain/session/conversation.js';

/** An exchange and what its reply was answered beside its calls; without one, silence is answered with a nudge. */
export type SentExchange = Exchange & { step?: Continuation };

/** Passes a block back as it came: a block of a stored reply is a block of a request. */
const sentBack = z.custom<Anthropic.ContentBlockParam>(
  (block) => replySchema.shape.content.element.safeParse(block).success,
);

/**
 * The conversation so far as the Messages API wants it: every tool call answered, in its order, in the next message,
 * and the last word ours, unless the provider paused a reply of its own. `closing` is said at the very end.
 */
export function messagesOf(
  opening: string,
  exchanges: readonly SentExchange[],
  closing: string | null = null,
): Anthropic.MessageParam[] {
  const messages: Anthropic.MessageParam[] = [
    { role: 'user', content: [{ type: 'text', text: opening }] },
    ...exchanges.flatMap(messagesOfExchange),
  ];
  if (closing === null) return messages;
  const text: Anthropic.TextBlockParam = { type: 'text', text: closing };
  const last = messages.at(-1);
  return last?.role === 'user' && typeof last.content !== 'string'
    ? [...messages.slice(0, -1), { ...last, content: [...last.content, text] }]
    : [...messages, { role: 'user', content: [text] }];
}

function messagesOfExchange({ reply, answers, step }: SentExchange): Anthropic.MessageParam[] {
  const results = toolUses(reply).map((use): Anthropic.ToolResultBlockParam => {
    const answer = answers.find(({ toolUseId }) => toolUseId === use.id);
    return {
      type: 'tool_result',
      tool_use_id: use.id,
      content: answer?.text ?? 'This call was not carried out.',
      is_error: answer?.isError ?? true,
    };
  });
  // a refused reply stays out: with it in its context a model goes on refusing
  const left = reply.stopReason === 'refusal' && results.length === 0;
  const said = left ? [] : reply.content.filter(isSendable);
  const words =
    step?.kind === 'told' ? step.words : results.length > 0 || step?.kind === 'resumed' ? null : NUDGE;
  const ours: Anthropic.ContentBlockParam[] = [
    ...results,
    ...(words === null ? [] : [{ type: 'text' as const, text: words }]),
  ];
  // A message may not be empty, nor consist of thinking alone.
  const spoke = said.some(({ type }) => type !== 'thinking' && type !== 'redacted_thinking');
  return [
    ...(spoke ? [{ role: 'assistant' as const, content: said.map((block) => sentBack.parse(block)) }] : []),
    ...(ours.length > 0 ? [{ role: 'user' as const, content: ours }] : []),
  ];
}

/** The API refuses blank text, though a model may say it. */
function isSendable(block: ReplyBlock): boolean {
  return !(
    block.type === 'text' &&
    'text' in block &&
    typeof block.text === 'string' &&
    block.text.trim() === ''
  );
}

/** A mark up to which the provider's cache may keep a prompt. */
export const cacheMark = (time: CacheTime): Anthropic.CacheControlEphemeral =>
  time === '5m' ? { type: 'ephemeral' } : { type: 'ephemeral', ttl: '1h' };

/**
 * Marks where the provider's cache may end in the conversation: after the last two messages of ours, so that a turn
 * with very many blocks still finds the one before it.
 */
export function withCacheMarks(
  messages: readonly Anthropic.MessageParam[],
  time: CacheTime,
): Anthropic.MessageParam[] {
  const ours = messages.flatMap((message, index) => (message.role === 'user' ? [index] : [])).slice(-2);
  return messages.map((message, index) => {
    if (message.role !== 'user' || !ours.includes(index)) return message;
    const blocks: Anthropic.ContentBlockParam[] =
      typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : message.content;
    return {
      ...message,
      content: blocks.map((block, at) => (at === blocks.length - 1 ? marked(block, time) : block)),
    };
  });
}

function marked(block: Anthropic.ContentBlockParam, time: CacheTime): Anthropic.ContentBlockParam {
  if (block.type !== 'text' && block.type !== 'tool_result') return block;
  return { ...block, cache_control: cacheMark(time) };
}
