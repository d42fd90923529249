import { z } from 'zod';
import { define, text, type ModelTool } from './tool.js';

/** The end of a session, with what the next one should know. */
export interface FinishCall {
  tool: 'finish';
  note: string;
}

export const FINISH: ModelTool<FinishCall> = {
  name: 'finish',
  definition: () =>
    define('finish', 'End this session.', {
      note: { ...text, description: 'What the next session should know.' },
    }),
  input: z
    .object({ note: z.string().max(4000).nullish() })
    .transform(({ note }): FinishCall => ({ tool: 'finish', note: note ?? '' })),
};
