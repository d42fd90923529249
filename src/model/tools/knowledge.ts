import { z } from 'zod';
import { define, text, type ModelTool } from './tool.js';

/** A call that lists what the task knows, or reads a file of it from a line on. */
export interface KnowledgeCall {
  tool: 'knowledge';
  path: string | null;
  line: number;
}

export const KNOWLEDGE: ModelTool<KnowledgeCall> = {
  name: 'knowledge',
  definition: () =>
    define('knowledge', 'Files of the task’s knowledge: a list of them, or one of them.', {
      path: { ...text, description: 'As the list has it; default: the list.' },
      line: { type: 'integer', minimum: 1, description: 'First line that is shown; default: 1.' },
    }),
  input: z
    .object({ path: z.string().max(240).nullish(), line: z.number().int().min(1).default(1) })
    .transform(({ path, line }): KnowledgeCall => ({ tool: 'knowledge', path: path ?? null, line })),
};
