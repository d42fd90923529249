/** Why a trial ended before it was measured. */
export type Interruption =
  | { kind: 'person'; said: string | null }
  /** The session that submitted it took it back. */
  | { kind: 'session' }
  | { kind: 'cancelled' }
  /** A budget leaves no room for its training, and nobody will raise it: its campaign is being stopped. */
  | { kind: 'budget' }
  | { kind: 'infrastructure'; text: string };

/** The words in which people read why a trial was interrupted. */
export function interruptionText(interruption: Interruption): string {
  switch (interruption.kind) {
    case 'person':
      return `a person: ${interruption.said ?? 'no reason given'}`;
    case 'session':
      return 'withdrawn by its session';
    case 'cancelled':
      return 'cancelled on request';
    case 'budget':
      return 'a budget is used up';
    case 'infrastructure':
      return `infrastructure: ${interruption.text}`;
  }
}
