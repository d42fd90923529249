import { z } from 'zod';
import { define, text, type ModelTool, type ToolOffer } from './tool.js';

/** Calls that run commands on a copy of the workspace. */
export type WorkbenchCall =
  | { tool: 'shell'; command: string; timeoutS: number; keep: boolean }
  | { tool: 'probe'; hypothesis: string; command: string; timeoutS: number | null }
  | { tool: 'profile'; hypothesis: string };

const LONGEST_COMMAND = 20_000;
const LONGEST_HYPOTHESIS = 1000;
const SHELL_SECONDS = { usual: 60, most: 300 };
/** No training is longer. */
const MOST_PROBE_SECONDS = 7 * 86_400;

const command = z
  .string()
  .max(LONGEST_COMMAND)
  .refine((value) => value.trim() !== '', 'say what to run')
  .refine((value) => !value.includes('\0'), 'it has a NUL character');
const hypothesis = z.string().max(LONGEST_HYPOTHESIS);

export const SHELL: ModelTool<WorkbenchCall> = {
  name: 'shell',
  definition: ({ workbench }: ToolOffer) =>
    workbench === undefined
      ? null
      : define(
          'shell',
          'Run a command with bash in the folder of the recipe, on a fresh copy of the workspace: no network, no data, no accelerator. It costs no trial. You get its exit status and its output (head and tail, 30,000 characters).',
          {
            command: text,
            timeout_s: {
              type: 'number',
              maximum: SHELL_SECONDS.most,
              description: `Default: ${SHELL_SECONDS.usual}.`,
            },
            keep: {
              type: 'boolean',
              description:
                'True: files that it writes become edits of the workspace where they may be edited. Default: all that it writes is dropped.',
            },
          },
          ['command'],
        ),
  input: z
    .object({
      command,
      timeout_s: z.number().positive().max(SHELL_SECONDS.most).nullish(),
      keep: z.boolean().nullish(),
    })
    .transform((input): WorkbenchCall => {
      const timeoutS = input.timeout_s ?? SHELL_SECONDS.usual;
      return { tool: 'shell', command: input.command, timeoutS, keep: input.keep ?? false };
    }),
};

const HYPOTHESIS = { ...text, description: 'What you want to find out, in a sentence.' };

export const PROBE: ModelTool<WorkbenchCall> = {
  name: 'probe',
  definition: ({ workbench }: ToolOffer) =>
    workbench === undefined || workbench.probes === 0
      ? null
      : define(
          'probe',
          `Run a command on a copy of the workspace with the training data (ASSAY_DATA), as training is run but on one accelerator or slot, and see what it prints. It is no trial, and gets no score; its time is charged to the campaign. ${workbench.probes} of a session, profiles included.`,
          {
            hypothesis: HYPOTHESIS,
            command: { ...text, description: 'For sh, in the folder of the recipe.' },
            timeout_s: {
              type: 'number',
              description: 'Seconds; default: the training budget. At most the limit of a training.',
            },
          },
          ['hypothesis', 'command'],
        ),
  input: z
    .object({
      hypothesis: hypothesis.refine((value) => value.trim() !== '', 'say what you want to find out'),
      command,
      timeout_s: z.number().positive().max(MOST_PROBE_SECONDS).nullish(),
    })
    .transform((input): WorkbenchCall => ({
      tool: 'probe',
      hypothesis: input.hypothesis,
      command: input.command,
      timeoutS: input.timeout_s ?? null,
    })),
};

export const PROFILE: ModelTool<WorkbenchCall> = {
  name: 'profile',
  definition: ({ workbench }: ToolOffer) =>
    workbench?.profiles !== true || workbench.probes === 0
      ? null
      : define(
          'profile',
          'Run the task’s profile of the workspace: where the time of training goes. It is charged and counted as a probe.',
          { hypothesis: HYPOTHESIS },
        ),
  input: z
    .object({ hypothesis: hypothesis.nullish() })
    .transform((input): WorkbenchCall => ({ tool: 'profile', hypothesis: input.hypothesis ?? '' })),
};
