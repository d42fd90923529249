import { z } from 'zod';
import { finite } from '../../domain/trial/evaluation.js';
import { define, text, whole, type ModelTool, type ToolOffer } from './tool.js';

/** A workspace that is to be measured. */
export interface SubmitCall {
  tool: 'submit_trial';
  hypothesis: string;
  expectedDelta: number | null;
  parent: number | null;
  /** False: its session goes on while it is measured. */
  waits: boolean;
  /** Left out where a task has none, and in conversations of an earlier assay. */
  domain?: string | null | undefined;
}

/** Property of a submit that says what an edit is of, where the task asks for it. */
function domainProperty({ domains }: ToolOffer): object {
  const names = Object.keys(domains);
  if (names.length === 0) return {};
  const description = names.map((name) => `${name}: ${domains[name] ?? ''}`).join('; ');
  return { domain: { type: 'string', enum: names, description: `What the edit changes. ${description}.` } };
}

const hypothesis = z
  .string()
  .max(4000)
  .refine((value) => value.trim() !== '', 'say what changes and why');

export const SUBMIT_TRIAL: ModelTool<SubmitCall> = {
  name: 'submit_trial',
  definition: (offer) =>
    define(
      'submit_trial',
      'Freeze the workspace as a trial and measure it. Costs one trial, unless its check fails before it is trained, or its host ends it.',
      {
        hypothesis: { ...text, description: 'What changes and why it should help, in a few sentences.' },
        expected_delta: { type: 'number', description: 'Expected score minus the parent’s score.' },
        parent: { ...whole, description: 'Default: the trial that the workspace stands on.' },
        wait: {
          type: 'boolean',
          description:
            'Default: true. With false you get its number at once and go on; await_trials gives its result.',
        },
        ...domainProperty(offer),
      },
      ['hypothesis', 'expected_delta', ...Object.keys(domainProperty(offer))],
    ),
  input: z
    .object({
      hypothesis,
      expected_delta: finite.nullish(),
      parent: z.number().int().nonnegative().nullish(),
      wait: z.boolean().nullish(),
      domain: z.string().max(48).nullish(),
    })
    .transform((input): SubmitCall => {
      const { expected_delta: expected, parent, domain } = input;
      return {
        tool: 'submit_trial',
        hypothesis: input.hypothesis,
        expectedDelta: expected ?? null,
        parent: parent ?? null,
        waits: input.wait ?? true,
        ...(domain == null ? {} : { domain }),
      };
    }),
};
