import { z } from 'zod';

/** A campaign's name is its workflow id: it has to read well in a URL and in a folder name. */
export const campaignNameSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    'a name of letters, digits, dots, dashes and underscores, at most 64 long',
  );

/** The start recipe is measured as trial 0; proposals are numbered from 1. */
export const START = 0;

/**
 * Owner of a campaign's documents: stays the same after a reset, differs after a second start of the name.
 */
export function ownerOf(namespace: string, firstExecutionRunId: string): string {
  return `${namespace}/${firstExecutionRunId}`;
}

/** `t00042`: how a trial is written for people, and the last part of its workflow id. */
export function trialLabel(number: number): string {
  return `t${String(number).padStart(5, '0')}`;
}

/** A trial by its campaign's owner and its number. */
export interface TrialRef {
  owner: string;
  number: number;
}

export function trialWorkflowId(campaign: string, number: number): string {
  return `${campaign}/${trialLabel(number)}`;
}

/** `demo/t00042`, `t00042` or `42`: what a person may type for a trial. */
export function parseTrialRef(text: string): { campaign: string | null; number: number } | null {
  const match = /^(?:(.+)\/)?t?(\d{1,7})$/.exec(text);
  if (!match) return null;
  return { campaign: match[1] ?? null, number: Number(match[2]) };
}

/** `demo/arch-0/3`: what a person may type for a session. */
export function parseSessionRef(text: string): { campaign: string; lane: string; index: number } | null {
  const match = /^(.+)\/([^/]+)\/(\d{1,7})$/.exec(text);
  const [, campaign, lane, index] = match ?? [];
  if (campaign === undefined || lane === undefined) return null;
  return { campaign, lane, index: Number(index) };
}

export function laneId(role: string, lane: number): string {
  return `${role}-${lane}`;
}

export const trialKey = (owner: string, number: number): string => `${owner}/${number}`;
export const sessionKey = (owner: string, lane: string, index: number): string => `${owner}/${lane}/${index}`;
export const turnKey = (session: string, turn: number): string => `${session}/${turn}`;
export const callKey = (session: string, turn: number, index: number): string =>
  `${session}/${turn}/${index}`;

/** A key as a field name of a document: the store forbids dots and dollars there. */
export function fieldOf(key: string): string {
  return key.replace(/[%.$]/g, (character) => `%${character.charCodeAt(0).toString(16)}`);
}
