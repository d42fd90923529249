import type { CommandEnd } from '../../domain/session/bench.js';

/** Words the end of a command, with what it printed. */
export const printed = ({ ended, log }: CommandEnd): string =>
  `${ended}\n${log === '' ? '(it printed nothing)' : log.trimEnd()}`;
