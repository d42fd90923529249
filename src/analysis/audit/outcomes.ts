import { trialLabel } from '../../domain/keys.js';
import { settlesTrial } from '../../domain/campaign/reconcile.js';
import { isEnded } from '../../domain/statuses.js';
import type { TrialDocument } from '../../lineage/documents/trial.js';
import { Finder, type CampaignFacts, type Checked, type ServerSide, type StoreFacts } from './facts.js';

/** Every accepted trial reaches exactly one terminal status, once; none is without a workflow or an outcome. */
export function checkOutcomes({ store, server }: CampaignFacts): Checked {
  const { campaign, trials } = store;
  const finder = new Finder(campaign._id);
  finder.malformed(trials);
  for (const trial of trials.documents) {
    const wrong = wrongEnd(trial, store);
    if (wrong !== null) finder.say(trialLabel(trial.number), wrong);
  }
  if (typeof server !== 'string') withServer(finder, store, server);
  const open = trials.documents.filter(({ status }) => status === null).length;
  return {
    examined: {
      trials: trials.documents.length,
      'open trials': open,
      workflows: typeof server === 'string' ? 0 : server.open.size + server.running.length,
    },
    notExamined: typeof server === 'string' ? [{ what: 'workflows', why: server }] : [],
    violations: finder.violations,
  };
}

function wrongEnd(trial: TrialDocument, { campaign, statuses }: StoreFacts): string | null {
  const { number, status, outcome, stage, endedAt } = trial;
  const counted = statuses.get(number);
  if (status === null) {
    if (outcome !== null || stage === 'ended' || endedAt !== null) return 'it has ended without a status';
    if (counted !== undefined) return `it was counted as ${counted} and has no status`;
    return isEnded(campaign.state) ? `it has no status although the campaign is ${campaign.state}` : null;
  }
  if (outcome === null) return `it is ${status} without an outcome`;
  if (outcome.status !== status) return `it is ${status}, and its outcome says ${outcome.status}`;
  if (stage !== 'ended' || endedAt === null) return `it is ${status} and still ${stage}`;
  return counted === undefined || counted === status
    ? null
    : `it was counted as ${counted} and is now ${status}`;
}

/** Finds open trials that no workflow will finish, and workflows of trials that do not exist. */
function withServer(finder: Finder, { campaign, trials }: StoreFacts, server: ServerSide): void {
  const known = new Map(trials.documents.map(({ number, status }) => [number, status]));
  for (const [number, facts] of server.open)
    if (known.get(number) === null && settlesTrial(facts))
      finder.say(
        trialLabel(number),
        `it has no status, its workflow is ${facts.trial} and no workflow is left to start one`,
      );
  for (const { id, trial } of server.running)
    if (trial !== null && !known.has(trial))
      finder.say(id, 'the workflow runs for a trial that is not in the store');
    else if (isEnded(campaign.state))
      finder.say(id, `the workflow runs although the campaign is ${campaign.state}`);
}
