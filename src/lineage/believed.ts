import type { Believed } from '../domain/decision/lesson.js';
import type { DecisionDocument } from './decision-documents.js';
import { lessonFacts } from './lesson-facts.js';
import type { Lineage } from './lineage.js';

/** What is believed by now of the true score of the trial that a decision was about; null where nothing is. */
export async function believedNow(lineage: Lineage, decision: DecisionDocument): Promise<Believed | null> {
  if (lessonFacts(decision).believedOwn === null) return null;
  const node = await lineage.decisions.belief(decision.owner, decision.trial);
  return node === null ? null : { mean: node.mean, sd: Math.sqrt(node.variance) };
}

/** What was believed of trials when they were decided, by the id of the decision. */
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
