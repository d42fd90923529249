import type { RunRequest } from '../run.js';
import { requireDevices } from './device-access.js';
import type { Launch } from './launch.js';
import { NO_ISOLATION } from './no-isolation.js';
import type { Tier } from './tier.js';

/** Process group, rlimits and watchdog only: the recipe can do what its user can. */
export const tierE = {
  isolation: NO_ISOLATION,
  bubblewrap: null,
  threads: () => null,
  launch(request: RunRequest, shell: string): Launch {
    requireDevices(request, null, true);
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
  hold: (launch: Launch): Launch => launch,
} satisfies Tier;
