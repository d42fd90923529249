import type { Isolation } from '../../domain/task/isolation.js';
import type { RunRequest } from '../run.js';
import type { Launch, Tier } from './tier.js';

const ISOLATION: Isolation = {
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

/** Process group, rlimits and watchdog only: the recipe can do what its user can. */
export const tierE: Tier = {
  isolation: ISOLATION,
  bubblewrap: null,
  threads: () => null,
  launch(request: RunRequest, shell: string): Launch {
    return {
      file: '/bin/sh',
      args: ['-c', shell],
      cwd: request.cwd,
      inputs: [],
      reports: false,
      uid: null,
      hold: null,
    };
  },
  hold: (launch) => launch,
};
