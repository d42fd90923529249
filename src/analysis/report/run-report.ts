import type { Trajectory } from '../trajectory/trajectory.js';
import { archiveSection } from './archive-section.js';
import type { ReportDocument, Section } from './blocks.js';
import { frontSection, type FrontFacts } from './front-section.js';
import { noiseSection } from './noise-sections.js';
import type { ArchiveFacts, RunFacts } from './run-facts.js';
import { proposalSection } from './proposal-section.js';
import { adoptionSection, courseSection, failureSection } from './search-sections.js';
import { spendingSection } from './spending-section.js';

/** What a report is made of besides the trajectory. */
export interface ReportParts {
  facts: RunFacts;
  front: FrontFacts;
  /** null for a campaign of this store. */
  archive: ArchiveFacts | null;
  /** Sections that only the source can fill: settings, interventions, diffs. */
  more: Section[];
}

/** A report as people read it, and the facts that it was made from as `assay.report/1` has them. */
export interface FinishedReport {
  document: ReportDocument;
  trajectory: Trajectory;
  /** Claim with its interval, or the reason why nothing is claimed. */
  claimed: string;
  facts: RunFacts & Pick<Trajectory, 'name' | 'source' | 'metric'> & { archive: ArchiveFacts | null };
}

/** A report on one search. */
export function runReport(
  trajectory: Trajectory,
  { facts, front, archive, more }: ReportParts,
  subtitle: string,
): ReportDocument {
  return {
    title: trajectory.name,
    subtitle,
    sections: [
      frontSection(trajectory, facts, front),
      courseSection(trajectory, facts),
      noiseSection(trajectory, facts),
      adoptionSection(trajectory, facts),
      failureSection(facts),
      spendingSection(trajectory, facts),
      proposalSection(trajectory, facts),
      ...more,
      ...(archive === null ? [] : [archiveSection(archive)]),
    ],
  };
}
