import { START } from '../domain/keys.js';
import type { Failure } from '../domain/trial/outcome.js';
import { judgeLosses, LOST_WORKERS, type LossVerdict } from '../domain/trial/lost-workers.js';
import type { Fault } from '../lineage/documents/fault.js';
import type { ReplicateDocument } from '../lineage/documents/replicate.js';
import type { TrialDocument } from '../lineage/documents/trial.js';
import type { Lineage } from '../lineage/lineage.js';
import type { HostContext } from './host-context.js';

/**
 * Judges work whose trial has lost workers before, in whatever phase and on whatever host. A claim, and a
 * start that calibrates a class of hosts, have ended as trials: they are judged by the one replicate alone.
 */
export async function lossesOf(
  context: HostContext,
  { trial, purpose }: { trial: TrialDocument; purpose: ReplicateDocument['purpose'] },
  replicate: ReplicateDocument,
): Promise<LossVerdict> {
  const isolated = isIsolated(context);
  if (purpose === 'search') return lossesOfTrial(context, trial.owner, trial.number);
  const seen = replicate.faults.findLastIndex(({ code }) => code === 'WORKERS_LOST');
  const faults = replicate.faults.slice(seen + 1);
  return judgeLosses({ faults, pardoned: 0, isolated, othersGoOn: false });
}

/**
 * Judges a trial of the search in the same way. A verdict that blocks the campaign is given once: a person who
 * resumes it has looked.
 */
export async function lossesOfTrial(
  context: HostContext,
  owner: string,
  number: number,
): Promise<LossVerdict> {
  const { lineage } = context;
  const trial = await lineage.trials.require(owner, number);
  const { frozen } = await lineage.campaigns.byOwner(owner);
  const verdict = judgeLosses({
    faults: await faultsOf(lineage, trial),
    pardoned: trial.pardoned,
    isolated: isIsolated(context),
    // nothing can be searched without the start, and a campaign of one trial has no lanes
    othersGoOn: number !== START && frozen.lanes.length > 0,
  });
  if (verdict.kind === 'block') await lineage.trials.pardon(owner, number, verdict.lost);
  return verdict;
}

const isIsolated = ({ sandbox }: HostContext): boolean => sandbox.isolation.pid === 'enforced';

/** Everything that the infrastructure did to a trial. */
export async function faultsOf(
  lineage: Lineage,
  { faults, replicates }: TrialDocument,
): Promise<readonly Fault[]> {
  const measured = await lineage.replicates.many(replicates);
  return [...faults, ...measured.flatMap((replicate) => replicate.faults)];
}

/** The end of a trial whose workers were lost where nothing keeps a recipe from them. */
export function crashOf(
  phase: 'check' | 'train' | 'evaluate',
  { lost, reason }: Exclude<LossVerdict, { kind: 'goesOn' }>,
): Failure {
  return {
    status: 'crash',
    phase,
    reason: `${reason}, where nothing keeps a recipe from its worker`,
    limit: { name: 'lost workers', used: lost, allowed: LOST_WORKERS - 1, unit: 'workers' },
    tail: '',
  };
}
