import type { CampaignState, TrialStatus } from '../../domain/statuses.js';
import { styled } from '../terminal/terminal.js';

export type Colour = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan' | 'magenta';

/** Colours text for a renderer; the renderers themselves know no terminal. */
export type Paint = (colour: Colour, text: string) => string;

export const plain: Paint = (_, text) => text;

/** Colours where the stream is a terminal that wants them. */
export const onStdout: Paint = (colour, text) => styled(colour, text);
export const onStderr: Paint = (colour, text) => styled(colour, text, process.stderr);

const STATUS_COLOURS: Record<TrialStatus, Colour> = {
  keep: 'green',
  discard: 'dim',
  disqualified: 'yellow',
  size_blocked: 'yellow',
  train_budget_overrun: 'yellow',
  eval_budget_overrun: 'yellow',
  preflight_crash: 'red',
  crash: 'red',
  duplicate: 'dim',
  violation: 'magenta',
  cancelled: 'dim',
};

export function statusColour(status: TrialStatus | null): Colour {
  return status === null ? 'cyan' : STATUS_COLOURS[status];
}

export function stateColour(state: CampaignState): Colour {
  if (state === 'failed' || state === 'blocked') return 'red';
  if (state === 'finished') return 'green';
  return state === 'paused' || state === 'waiting' || state === 'stopped' ? 'yellow' : 'cyan';
}

/** Returns true when a stream is a terminal that wants colours; NO_COLOR is obeyed. */
export function wantsColour(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY && stream.hasColors();
}
