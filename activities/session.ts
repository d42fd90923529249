import type { Lineage } from '../src/lineage/lineage.js';
import { openSession, type LaneSession, type OpenedSession } from '../src/session/open-session.js';

export interface SessionActivities {
  openSession(of: LaneSession): Promise<OpenedSession>;
  closeSession(of: { session: string; because: string }): Promise<void>;
}

export function sessionActivities({ lineage }: { lineage: Lineage }): SessionActivities {
  return {
    openSession: (of) => openSession(lineage, of),
    closeSession: ({ session, because }) => lineage.sessions.close(session, because),
  };
}
