import type { Isolation } from '../../domain/task/isolation.js';

/** Isolation of a process group, rlimits and a watchdog alone. */
export const NO_ISOLATION: Isolation = {
  tier: 'E',
  fs: 'none',
  net: 'none',
  pid: 'none',
  mem: 'advisory',
  pids: 'advisory',
  disk: 'advisory',
  cpu: 'advisory',
  gpu: 'none',
  // the environment is clean, but nothing keeps a process from reading another's of the same user
  secrets: 'advisory',
  channels: 'open',
};
