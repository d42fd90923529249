import {
  comparedMetrics,
  placeOfTraining,
  shiftBetween,
  type AskedTraining,
} from '../domain/devices/calibration.js';
import { mayBeOf, refusalOfClass, type HostClass } from '../domain/devices/host-class.js';
import { AssayError } from '../domain/errors.js';
import { trialLabel } from '../domain/keys.js';
import type { ReplicateDocument } from '../lineage/documents/replicate.js';
import { metricsOf } from '../lineage/trials/replicates.js';
import { calibrationTurn, controlsOf, failureOf, measuredOf } from './calibration-turn.js';
import type { HostContext } from './host-context.js';
import type { HostedTrial } from './load-trial.js';

/**
 * `here` with what is added to the metrics; `calibrate`: after these runs of the start; `calibrating`: after those of
 * another trial; `gone`: not any more.
 */
export type Placed =
  | { kind: 'here'; shift: Record<string, number> }
  | { kind: 'calibrate'; indexes: number[] }
  | { kind: 'calibrating' }
  | { kind: 'gone' };

/** After this a host that does not report has left; a live one reports each minute. */
const GONE_MS = 3 * 60_000;

/**
 * Hosts of other classes that are asked for the start, most of an hour long, before its trial goes on without that
 * class: a report does not say which libraries a host has.
 */
const REFUSALS = 200;

/** A training that is to be placed. */
export interface Asked extends AskedTraining {
  /** The class that it needs; null where the campaign decides. */
  needs: HostClass | null;
  /** Classes on which its trial does not try to measure the start any more. */
  givenUp: readonly string[];
}

/**
 * Finds out whether this host may do a training, and how its scores compare.
 * @throws AssayError HOST_CLASS_DIFFERS when it is for a host of another class
 */
export async function placed(context: HostContext, work: HostedTrial, asked: Asked): Promise<Placed> {
  const { campaign, hostClass } = work;
  const { hostClasses, frozen } = campaign;
  const place = placeOfTraining(hostClasses, hostClass.id, asked, frozen.hostClasses);
  if (place === 'uncalibrated') return calibrated(context, work, asked);
  const { needs, kind } = asked;
  const { owner } = campaign;
  if (place === 'here') {
    if (kind === 'trial' && frozen.hostClasses === 'any')
      await context.lineage.calibrations.release(owner, work.trial.number, null);
    return { kind: 'here', shift: shiftOf(work) };
  }
  if (needs !== null && !(await isStillAsked(context, work, needs))) return { kind: 'gone' };
  throw new AssayError('HOST_CLASS_DIFFERS', refusalFor(context, work, needs));
}

const shiftOf = ({ campaign, hostClass }: HostedTrial): Record<string, number> =>
  campaign.hostClasses.find(({ work, id }) => work === 'train' && id === hostClass.id)?.shift ?? {};

function refusalFor(
  { host }: HostContext,
  { campaign, hostClass }: HostedTrial,
  needs: HostClass | null,
): string {
  if (needs !== null)
    return `${host.name} is of host class ${hostClass.id}, and the start is to be measured on ${needs.id}`;
  return (
    refusalOfClass(campaign.hostClasses, { work: 'train' }, { name: host.name, hostClass }) ??
    `${host.name} is of host class ${hostClass.id}, and the start and what is claimed are measured on the first class of the campaign`
  );
}

/** Returns true while a host of the class may still take a run of the start. */
async function isStillAsked(
  context: HostContext,
  { campaign }: HostedTrial,
  needs: HostClass,
): Promise<boolean> {
  const { owner, frozen } = campaign;
  if (!(await hasHost(context, frozen.pool, needs))) return false;
  return (await context.lineage.calibrations.refuse({ owner, hostClass: needs.id })) < REFUSALS;
}

async function hasHost({ lineage }: HostContext, pool: string, { is }: HostClass): Promise<boolean> {
  const since = Date.now() - GONE_MS;
  return (await lineage.hosts.list()).some(
    (report) =>
      report.at.getTime() > since &&
      report.pool === pool &&
      report.roles.includes('trainer') &&
      mayBeOf(report, is),
  );
}

/**
 * Takes the class up once the start has been measured on it as often as on the first one, by this trial or by one that
 * is at it.
 */
async function calibrated({ lineage, host }: HostContext, work: HostedTrial, asked: Asked): Promise<Placed> {
  const { campaign, hosted, hostClass, trial } = work;
  const of = { owner: campaign.owner, hostClass: hostClass.id };
  const controls = await controlsOf(lineage, of);
  const failure = failureOf(controls);
  if (failure !== null)
    throw new AssayError(
      'HOST_CLASS_DIFFERS',
      `the start ended as ${failure.status} on host class ${hostClass.id}, which ${host.name} is of: ${failure.reason}`,
    );
  const { first, indexes } = controls;
  const measured = measuredOf(controls);
  if (measured.length < indexes.length) {
    if (!asked.givenUp.includes(hostClass.id)) {
      const turn = await calibrationTurn(lineage, { ...of, trial: trial.number });
      return turn === 'mine' ? { kind: 'calibrate', indexes } : { kind: 'calibrating' };
    }
    await lineage.calibrations.release(of.owner, trial.number, null);
    throw new AssayError(
      'HOST_CLASS_DIFFERS',
      `${trialLabel(trial.number)} could not get the start measured on host class ${hostClass.id}, which ${host.name} is of, and is left to others`,
    );
  }
  const metrics = (runs: readonly ReplicateDocument[]) => runs.map(metricsOf);
  const shift = shiftBetween(comparedMetrics(hosted.spec), metrics(first), metrics(measured));
  const classes = await lineage.campaigns.addClass(of.owner, {
    work: 'train',
    trainedBy: '',
    shift,
    ...hostClass,
  });
  const stored = classes.find((one) => one.work === 'train' && one.id === hostClass.id);
  return { kind: 'here', shift: stored?.shift ?? shift };
}
