import { z } from 'zod';

/** The blocks of a conversation that assay stores; the shapes are those of the Messages API. */
const textBlock = z.object({ type: z.literal('text'), text: z.string() });
const toolUseBlock = z.object({
  type: z.literal('tool_use'),
  id: z.string(),
  name: z.string(),
  /** Unchecked here: each tool checks its own input. */
  input: z.unknown(),
});
/** Thinking and whatever else a provider adds is kept verbatim, since it must be sent back as it came. */
const otherBlock = z
  .looseObject({ type: z.string() })
  .refine((block) => block.type !== 'text' && block.type !== 'tool_use', 'a malformed block');
export const replyBlockSchema = z.union([textBlock, toolUseBlock, otherBlock]);
export type ReplyBlock = z.infer<typeof replyBlockSchema>;
export type ToolUse = z.infer<typeof toolUseBlock>;

export const usageSchema = z.object({
  inputTokens: z.number().int().nonnegative(),
  outputTokens: z.number().int().nonnegative(),
  cacheReadTokens: z.number().int().nonnegative(),
  /** All writes to the provider's cache. */
  cacheWriteTokens: z.number().int().nonnegative(),
  /** Those of them that it keeps for an hour, which cost more; none where it is left out. */
  cacheWriteHourTokens: z.number().int().nonnegative().optional(),
  /** Web searches that the provider made for the reply; none where it is left out. */
  webSearches: z.number().int().nonnegative().optional(),
});
export type Usage = z.infer<typeof usageSchema>;

/** One reply of a model, as stored before it is used. */
export const replySchema = z.object({
  id: z.string(),
  model: z.string(),
  content: z.array(replyBlockSchema),
  stopReason: z.string(),
  usage: usageSchema,
});
export type Reply = z.infer<typeof replySchema>;

/** The answer to one tool call, in the order of the calls. */
export interface ToolAnswer {
  toolUseId: string;
  text: string;
  isError: boolean;
}

/** One finished exchange: what the model said and what its tools answered. */
export interface Exchange {
  reply: Reply;
  answers: ToolAnswer[];
}

/** The tool calls of a reply, in order; their index is part of the identity of what they cause. */
export function toolUses(reply: Reply): ToolUse[] {
  return reply.content.flatMap((block) => (block.type === 'tool_use' ? [toolUseBlock.parse(block)] : []));
}

/** Reason for closing a session whose turn failed for good twice, with a person's resume in between. */
export const REFUSED_TWICE = 'refused twice';
