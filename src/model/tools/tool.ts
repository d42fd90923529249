import type Anthropic from '@anthropic-ai/sdk';
import type { z } from 'zod';
import type { Task } from '../../domain/task/task.js';

/** Facts of a campaign that decide which tools its sessions have, and what these ask for. */
export interface ToolOffer {
  /** Domains of edits, each with what belongs to it. */
  domains: Task['recipe']['domains'];
  /** Commands on a copy of the workspace; left out where the campaign has none. */
  workbench?: {
    /** Probes of a session. */
    probes: number;
    /** True where the task has a profile. */
    profiles: boolean;
  };
  /** Places outside that the provider may search and fetch from: domains, or any; left out where there are none. */
  donors?: readonly string[] | 'any';
}

/** A tool as a model sees it, and the check of what a model gives it. */
export interface ModelTool<Call> {
  name: string;
  /** null where a session does not have it. */
  definition: (offer: ToolOffer) => Anthropic.ToolUnion | null;
  input: z.ZodType<Call>;
}

export const text = { type: 'string' };
export const whole = { type: 'integer', minimum: 0 };

/** Defines a tool of ours. */
export function define(
  name: string,
  description: string,
  properties: object,
  required: string[] = [],
): Anthropic.Tool {
  return {
    name,
    description,
    input_schema: { type: 'object', properties, required, additionalProperties: false },
  };
}
