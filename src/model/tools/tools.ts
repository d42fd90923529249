import type Anthropic from '@anthropic-ai/sdk';
import { z } from 'zod';
import { toolUses, type Reply, type ToolUse } from '../../domain/session/conversation.js';
import { AWAIT_TRIALS, WITHDRAW, type DetachedCall } from './detached.js';
import { MALFORMED_INPUT } from '../streamed-message.js';
import { FINISH, type FinishCall } from './finish.js';
import { CHILDREN, CURVE, DIFF, LOG, type InspectCall } from './inspect.js';
import { KNOWLEDGE, type KnowledgeCall } from './knowledge.js';
import { LINEAGE, READ_TRIAL, type LineageCall } from './lineage.js';
import { MERGE, type MergeCall } from './merge.js';
import { NOTE, NOTES, type NotesCall } from './notes.js';
import { SUBMIT_TRIAL, type SubmitCall } from './submit-trial.js';
import type { ModelTool, ToolOffer } from './tool.js';
import { webTools } from './web.js';
import { PROBE, PROFILE, SHELL, type WorkbenchCall } from './workbench.js';
import { CHECK, EDIT, REBASE, SEARCH, type WorkspaceCall } from './workspace.js';

/** One tool call whose input was checked; `malformed` is answered with its error and does nothing. */
export type ToolCall =
  | WorkspaceCall
  | WorkbenchCall
  | LineageCall
  | SubmitCall
  | InspectCall
  | KnowledgeCall
  | MergeCall
  | DetachedCall
  | NotesCall
  | FinishCall
  | { tool: 'malformed'; error: string };

const COMMANDS: ReadonlySet<ToolCall['tool']> = new Set(['check', 'shell', 'probe', 'profile']);

/** True for calls that start processes, which only hosts of the pool can. */
export const needsHost = ({ tool }: ToolCall): boolean => COMMANDS.has(tool);

/** True for calls that take a lease of a host. */
export const needsLease = ({ tool }: ToolCall): boolean => tool === 'probe' || tool === 'profile';

/** True for calls about trials of the session, which are carried out after all others of a reply. */
export const isDeferred = ({ tool }: ToolCall): boolean =>
  tool === 'submit_trial' || tool === 'await_trials' || tool === 'withdraw';

/** All tools, in a fixed order so that the provider's cache holds them. */
const TOOLS: readonly ModelTool<ToolCall>[] = [
  EDIT,
  SEARCH,
  CHECK,
  SHELL,
  PROBE,
  PROFILE,
  LINEAGE,
  READ_TRIAL,
  LOG,
  CURVE,
  DIFF,
  CHILDREN,
  KNOWLEDGE,
  REBASE,
  MERGE,
  SUBMIT_TRIAL,
  AWAIT_TRIALS,
  WITHDRAW,
  NOTE,
  NOTES,
  FINISH,
];

/** An input that arrived whole and was no JSON. */
const noJson = z.strictObject({ [MALFORMED_INPUT]: z.string() });

const BY_NAME = new Map(TOOLS.map((tool) => [tool.name, tool]));

/** The tools of a session. */
export function toolDefinitions(offer: ToolOffer): Anthropic.ToolUnion[] {
  return [...TOOLS.flatMap(({ definition }) => definition(offer) ?? []), ...webTools(offer)];
}

/** Parses one tool call of a model; an error is worded so that the model can fix it. */
export function parseCall(use: ToolUse): ToolCall {
  const tool = BY_NAME.get(use.name);
  if (tool === undefined) {
    return {
      tool: 'malformed',
      error: `There is no tool "${use.name.slice(0, 60)}". Tools: ${[...BY_NAME.keys()].join(', ')}.`,
    };
  }
  if (noJson.safeParse(use.input).success)
    return {
      tool: 'malformed',
      error: `The input of ${use.name} is not JSON; nothing was done. Call it again.`,
    };
  const parsed = tool.input.safeParse(use.input);
  if (parsed.success) return parsed.data;
  return {
    tool: 'malformed',
    error: `The input of ${use.name} is malformed:\n${z.prettifyError(parsed.error)}`.slice(0, 2000),
  };
}

/** Calls of one reply that are carried out. */
const MOST_CALLS = 100;
const TOO_MANY: ToolCall = {
  tool: 'malformed',
  error: `A reply may have ${MOST_CALLS} tool calls; nothing was done for this one. Call it again in the next reply.`,
};
/** Stop reasons of a reply that was not finished. */
const CUTTING = new Set(['max_tokens', 'refusal', 'model_context_window_exceeded']);
const CUT_OFF: ToolCall = {
  tool: 'malformed',
  error: 'The reply was cut off before this call was complete; nothing was done.',
};

/**
 * The calls of a reply in their order. Those beyond a hundred are not carried out, nor is the last one of a reply that
 * was cut off at its token limit: its input may be half of what was meant.
 */
export function callsOf(reply: Reply): { use: ToolUse; call: ToolCall }[] {
  const uses = toolUses(reply);
  return uses.map((use, index) => {
    if (index >= MOST_CALLS) return { use, call: TOO_MANY };
    const cut = CUTTING.has(reply.stopReason) && index === uses.length - 1;
    return { use, call: cut ? CUT_OFF : parseCall(use) };
  });
}
