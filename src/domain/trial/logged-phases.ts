/** The phases of a trial that leave a log, in their order. */
export const LOGGED_PHASES = [
  'static',
  'check',
  'smoke',
  'rehearsal',
  'prewarm',
  'train',
  'pack',
  'evaluate',
  'serve',
] as const;
