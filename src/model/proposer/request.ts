import { z } from 'zod';

const block = z.looseObject({ type: z.string() });
const toolUse = z.looseObject({
  type: z.literal('tool_use'),
  id: z.string(),
  name: z.string(),
  input: z.unknown(),
});
const textBlock = z.looseObject({ type: z.literal('text'), text: z.string().min(1) });
const toolResult = z.looseObject({
  type: z.literal('tool_result'),
  tool_use_id: z.string(),
  content: z.union([z.string(), z.array(block)]).default(''),
  is_error: z.boolean().default(false),
});
const content = z.union([
  z.string().min(1),
  z.array(z.union([textBlock, toolUse, toolResult, block])).min(1),
]);

/** A request to POST /v1/messages, as far as a proposer reads it. */
export const messagesRequestSchema = z.looseObject({
  model: z.string().min(1),
  max_tokens: z.number().int().positive(),
  messages: z.array(z.object({ role: z.enum(['user', 'assistant']), content })).min(1),
  system: z.union([z.string(), z.array(textBlock)]).default(''),
  tools: z.array(z.looseObject({ name: z.string() })).default([]),
  stream: z.boolean().default(false),
});
export type MessagesRequest = z.infer<typeof messagesRequestSchema>;

/** One tool call of the conversation with its answer. */
export interface AnsweredCall {
  name: string;
  input: unknown;
  text: string;
  isError: boolean;
}

/** A conversation, read: its first words, and all tool calls in order. */
export interface Conversation {
  system: string;
  opening: string;
  calls: AnsweredCall[];
  /** Number of replies so far. */
  replies: number;
}

/** Reads a request's conversation, or says what is wrong with it as the API would. */
export function readConversation(request: MessagesRequest): Conversation | { error: string } {
  const calls: AnsweredCall[] = [];
  let open = new Map<string, { name: string; input: unknown }>();
  for (const [index, message] of request.messages.entries()) {
    const blocks = typeof message.content === 'string' ? [] : message.content;
    const results = blocks.flatMap((part) => toolResult.safeParse(part).data ?? []);
    if (message.role === 'assistant' && results.length > 0)
      return { error: `messages.${index}: tool_result blocks belong to user messages` };
    for (const result of results) {
      const use = open.get(result.tool_use_id);
      if (use === undefined)
        return { error: `messages.${index}: unexpected tool_use_id in tool_result: ${result.tool_use_id}` };
      open.delete(result.tool_use_id);
      calls.push({ ...use, text: textOf(result.content), isError: result.is_error });
    }
    if (open.size > 0) {
      const ids = [...open.keys()].join(', ');
      return { error: `messages.${index}: tool_use ids were found without tool_result blocks: ${ids}` };
    }
    open = new Map(blocks.flatMap((part) => toolUse.safeParse(part).data ?? []).map((use) => [use.id, use]));
  }
  const [first] = request.messages;
  if (first?.role !== 'user') return { error: 'messages: first message must use the "user" role' };
  if (request.messages.at(-1)?.role !== 'user')
    return { error: 'messages: the last message must be of the user' };
  return {
    system: textOf(request.system),
    opening: textOf(first.content),
    calls,
    replies: request.messages.filter(({ role }) => role === 'assistant').length,
  };
}

function textOf(parts: string | readonly z.infer<typeof block>[]): string {
  if (typeof parts === 'string') return parts;
  return parts.flatMap((part) => textBlock.safeParse(part).data?.text ?? []).join('\n');
}
