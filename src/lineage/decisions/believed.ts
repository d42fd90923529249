import type { Believed } from '../../domain/decision/lesson.js';
import type { DecisionDocument } from '../documents/decision.js';
import { lessonFacts } from './lesson-facts.js';
import type { Lineage } from '../lineage.js';

/**
 * Reads the current belief about the true score of the trial that a decision was about; null if there is none.
 */
export async function believedNow(lineage: Lineage, decision: DecisionDocument): Promise<Believed | null> {
  const then = lessonFacts(decision).believedOwn;
  return then === null ? null : ((await lineage.decisions.believed(decision.owner, decision.trial)) ?? then);
}

/** Reads the beliefs about trials when they were decided, by the id of the decision. */
export async function believedThen(
  lineage: Lineage,
  decisions: readonly (string | null | undefined)[],
): Promise<Map<string, Believed>> {
  const found = await lineage.decisions.many(decisions.flatMap((id) => id ?? []));
  return new Map(
    found.flatMap((decision): [string, Believed][] => {
      const { believedOwn } = lessonFacts(decision);
      return believedOwn === null ? [] : [[decision._id, believedOwn]];
    }),
  );
}
