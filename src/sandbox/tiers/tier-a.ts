import type { Probe } from './tier.js';

/** A machine or kernel of its own (gVisor): named so that a campaign may demand it, but not built. */
export function probeTierA(): Promise<Probe> {
  return Promise.resolve({
    tier: null,
    why: 'a kernel of its own (gVisor) is not built into this version',
    remedy: 'Run the worker itself in a virtual machine of its own; its label stays B or C.',
  });
}
