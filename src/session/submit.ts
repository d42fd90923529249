import { submissionSchema } from '../domain/campaign/campaign.js';
import { textOfReason, type Reason } from '../domain/campaign/reasons.js';
import { AssayError } from '../domain/errors.js';
import { explain } from '../domain/text/explain.js';
import { START } from '../domain/keys.js';
import { isEnded, type CampaignState } from '../domain/statuses.js';
import type { CampaignDocument } from '../lineage/documents/campaign.js';
import { treeDiff } from '../lineage/blob-store/tree-diff.js';
import type { Lineage } from '../lineage/lineage.js';
import { recipeFiles } from '../tasks/load.js';
import { snapshotFault } from '../tasks/recipe.js';
import type { Task } from '../domain/task/task.js';
import { NEW, type Novelty, type Edited } from './novelty.js';

/** `detached`: its session goes on meanwhile. */
export type Submitted =
  { kind: 'accepted'; number: number; detached?: boolean } | { kind: 'refused'; reason: string };

/** End of a submit, with the whole answer to the call where it is more than the reason. */
export type Entered = Submitted | { kind: 'repeated'; trial: number; answer: string };

export interface StartSubmitted {
  number: number;
  /** End of the campaign, where it has ended: a reset of its workflow has nothing more to do. */
  over?: { state: CampaignState; reason: Reason | null };
}

/** Enters the start recipe as trial 0. */
export async function submitStart(lineage: Lineage, owner: string): Promise<StartSubmitted> {
  const campaign = await lineage.campaigns.byOwner(owner);
  const { state, reason } = campaign;
  if (isEnded(state)) return { number: START, over: { state, reason } };
  const task = await lineage.tasks.get(campaign.frozen.task.digest);
  const files = await lineage.blobs.readFiles(recipeFiles(task.spec, task.files));
  const trial = await lineage.trials.insertStart({
    owner,
    campaign: campaign._id,
    submitKey: `${owner}/start`,
    snapshot: await lineage.blobs.putTree(files),
    parent: null,
    parentSnapshot: null,
    diff: await lineage.blobs.put(''),
    changes: '',
    hypothesis: 'the start recipe',
    expectedDelta: null,
    domain: null,
    edit: null,
    similar: null,
    twinScope: null,
    role: 'start',
    lane: 'start',
    session: null,
    turn: null,
  });
  return { number: trial.number };
}

/** Compares a proposal with earlier ones, given its changed lines. */
type CompareWithEarlier = (edit: Edited, spec: Task) => Promise<Novelty>;

export interface Proposed {
  submitKey: string;
  snapshot: string;
  parent: number;
  hypothesis: string;
  expectedDelta: number | null;
  domain: string | null;
  role: string;
  lane: string;
  session: string | null;
  turn: number | null;
  twinScope: string | null;
}

/** Stores hypothesis, snapshot and the diff against the parent as stored, and takes a number. */
export async function submit(
  lineage: Lineage,
  campaign: CampaignDocument,
  proposed: Proposed,
  compare: CompareWithEarlier,
): Promise<Entered> {
  const { owner } = campaign;
  const before = await lineage.trials.bySubmitKey(proposed.submitKey);
  if (before !== null) return { kind: 'accepted', number: before.number };
  if (campaign.control === 'draining' || campaign.control === 'stopping')
    return {
      kind: 'refused',
      reason: `the campaign takes no more trials (${textOfReason(campaign.controlReason) ?? campaign.control})`,
    };
  const parent = await lineage.trials.get(owner, proposed.parent);
  if (parent === null) return unknownParent(proposed.parent);
  if (parent.snapshot === proposed.snapshot)
    return {
      kind: 'refused',
      reason: `nothing differs from trial ${parent.number}: the edit has to land first`,
    };
  const task = await lineage.tasks.get(campaign.frozen.task.digest);
  const { domains } = task.spec.recipe;
  if (proposed.domain !== null && !Object.hasOwn(domains, proposed.domain))
    return { kind: 'refused', reason: unknownDomain(proposed.domain, Object.keys(domains)) };
  const fault = await snapshotFault(lineage, task, proposed.snapshot);
  if (fault !== null) return { kind: 'refused', reason: fault };
  const { diff, changes, edit } = await treeDiff(lineage.blobs, parent.snapshot, proposed.snapshot);
  const { similar, answer } = await compare({ changes, diff }, task.spec);
  if (similar !== null && answer !== null) return { kind: 'repeated', trial: similar.trial, answer };
  const result = await lineage.trials.submit(
    {
      ...proposed,
      edit,
      similar,
      owner,
      campaign: campaign._id,
      parentSnapshot: parent.snapshot,
      diff: await lineage.blobs.put(diff),
      changes,
    },
    await lineage.budgets.limits(owner),
  );
  if (result.kind === 'full') return { kind: 'refused', reason: `the limit of ${result.limit} is reached` };
  return { kind: 'accepted', number: result.trial.number };
}

export const unknownParent = (parent: number): Entered => ({
  kind: 'refused',
  reason: `there is no trial ${parent} to be the parent`,
});

const unknownDomain = (domain: string, known: readonly string[]): string =>
  known.length === 0
    ? `the task has no domains of edits, so "${domain}" is none`
    : `"${domain}" is no domain of the task; there are ${known.join(', ')}`;

/** Submits the recipe of a person. */
export async function submitPerson(lineage: Lineage, owner: string, submission: unknown): Promise<Submitted> {
  const parsed = submissionSchema.safeParse(submission);
  if (!parsed.success)
    throw new AssayError('CAMPAIGN_INPUT', `the submission is wrong: ${explain(parsed.error)}`);
  const { snapshot, hypothesis, expectedDelta, domain, requestId } = parsed.data;
  const campaign = await lineage.campaigns.byOwner(owner);
  const entered = await submit(
    lineage,
    campaign,
    {
      submitKey: `${owner}/person/${requestId}`,
      snapshot,
      parent: START,
      hypothesis,
      expectedDelta,
      domain,
      role: 'person',
      lane: 'person',
      session: null,
      turn: null,
      twinScope: null,
    },
    () => Promise.resolve(NEW),
  );
  if (entered.kind === 'repeated') throw new AssayError('INTERNAL', 'a person is asked nothing');
  return entered;
}
