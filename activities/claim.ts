import type { Lineage } from '../src/lineage/lineage.js';
import type { ClaimRef, ClaimRun } from '../src/measure/decision/claim-reservation.js';
import { closeClaim, endedTrials, openClaim, sealClaim } from '../src/measure/decision/claim-steps.js';
import { poll } from './heartbeat.js';

export type { ClaimRun };

const LOOK_EVERY_MS = 1500;

export interface ClaimActivities {
  /** Waits until this many trials have ended. */
  awaitMilestone(of: { owner: string; trials: number }): Promise<void>;
  /** Returns the runs to measure for a claim; none if there is nothing new to claim. */
  openClaim(of: ClaimRef): Promise<ClaimRun[]>;
  /**
   * Fixes the artifacts of a claim once all its runs are trained, so that they may be evaluated; otherwise the claim
   * is void.
   */
  sealClaim(of: ClaimRef): Promise<{ sealed: boolean }>;
  /** Weighs the fresh runs, or says why they prove nothing. */
  closeClaim(of: ClaimRef & { because: string | null }): Promise<void>;
}

export function claimActivities({ lineage }: { lineage: Lineage }): ClaimActivities {
  return {
    awaitMilestone: async ({ owner, trials }) => {
      await poll(LOOK_EVERY_MS, async () => ((await endedTrials(lineage, owner)) >= trials ? true : null));
    },
    openClaim: (of) => openClaim(lineage, of),
    sealClaim: async (of) => ({ sealed: await sealClaim(lineage, of) }),
    closeClaim: ({ because, ...of }) => closeClaim(lineage, of, because),
  };
}
