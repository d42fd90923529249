import type { TurnRef } from '../src/session/conversation.js';
import { takeTurn, type ModelContext, type TurnResult } from '../src/session/take-turn.js';
import { withHeartbeat } from './heartbeat.js';

export interface ModelActivities {
  takeTurn(at: TurnRef): Promise<TurnResult>;
}

export function modelActivities(context: ModelContext): ModelActivities {
  return {
    takeTurn: (at) =>
      withHeartbeat(
        () => at.turn,
        (signal) => takeTurn(context, at, signal),
      ),
  };
}
