import type { RunRequest, Sandbox } from '../sandbox/run.js';
import type { TamperDetection } from './tamper-detection.js';

/** A sandbox whose runs end as `tampered` when they changed what all trials share. Servers are the scorer's to watch. */
export function tamperDetectingSandbox(sandbox: Sandbox, tampering: TamperDetection): Sandbox {
  return {
    get isolation() {
      return sandbox.isolation;
    },
    run: async (request: RunRequest) => {
      const { result, damage } = await tampering.during(true, () => sandbox.run(request));
      return damage === null ? result : { ...result, ending: { kind: 'tampered', what: damage } };
    },
    serve: (request: RunRequest) => sandbox.serve(request),
  };
}
