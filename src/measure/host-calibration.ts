import {
  comparedMetrics,
  placeOfTraining,
  shiftBetween,
  type AskedTraining,
} from '../domain/devices/calibration.js';
import { isSameMachine, refusalOfClass, type HostClass } from '../domain/devices/host-class.js';
import { AssayError } from '../domain/errors.js';
import { START } from '../domain/keys.js';
import type { ReplicateDocument } from '../lineage/documents/replicate.js';
import { metricsOf, replicateKey } from '../lineage/trials/replicates.js';
import type { HostContext } from './host-context.js';
import type { HostedTrial } from './load-trial.js';

/** `here` with what is added to the metrics; `calibrate`: after these runs of the start; `gone`: not any more. */
export type Placed =
  | { kind: 'here'; shift: Record<string, number> }
  | { kind: 'calibrate'; indexes: number[] }
  | { kind: 'gone' };

/** After this a host that does not report has left; a live one reports each minute. */
const GONE_MS = 3 * 60_000;

/**
 * Finds out whether this host may do a training, and how its scores compare.
 * @throws AssayError HOST_CLASS_DIFFERS when it is for a host of another class
 */
export async function placed(
  context: HostContext,
  work: HostedTrial,
  asked: AskedTraining & { needs: HostClass | null },
): Promise<Placed> {
  const { campaign, hostClass } = work;
  const { hostClasses, frozen } = campaign;
  const place = placeOfTraining(hostClasses, hostClass.id, asked, frozen.hostClasses);
  if (place === 'uncalibrated') return calibrated(context, work);
  if (place === 'here') return { kind: 'here', shift: shiftOf(work) };
  const { needs } = asked;
  if (needs !== null && !(await hasHost(context, needs))) return { kind: 'gone' };
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

async function hasHost({ lineage }: HostContext, { is }: HostClass): Promise<boolean> {
  const since = Date.now() - GONE_MS;
  return (await lineage.hosts.list()).some(
    ({ machine, at }) => machine !== null && isSameMachine(machine, is) && at.getTime() > since,
  );
}

/** Takes the class up once the start has been measured on it as often as on the first one. */
async function calibrated({ lineage, host }: HostContext, work: HostedTrial): Promise<Placed> {
  const { campaign, hosted, hostClass } = work;
  const { owner } = campaign;
  const start = await lineage.trials.require(owner, START);
  const first = (await lineage.replicates.many(start.replicates)).filter(
    ({ evaluated }) => evaluated !== null,
  );
  const indexes = first.map(({ index }) => index).sort((a, b) => a - b);
  const { snapshot } = start;
  const identity = { owner, snapshot, purpose: 'control', hostClass: hostClass.id } as const;
  const own = await lineage.replicates.many(indexes.map((index) => replicateKey({ ...identity, index })));
  const failure = own
    .map(({ trained, evaluated }) => trained?.failure ?? evaluated?.failure ?? null)
    .find(Boolean);
  if (failure != null)
    throw new AssayError(
      'HOST_CLASS_DIFFERS',
      `the start ended as ${failure.status} on host class ${hostClass.id}, which ${host.name} is of: ${failure.reason}`,
    );
  const measured = own.filter(({ evaluated }) => evaluated !== null);
  if (measured.length < indexes.length) return { kind: 'calibrate', indexes };
  const metrics = (runs: readonly ReplicateDocument[]) => runs.map(metricsOf);
  const shift = shiftBetween(comparedMetrics(hosted.spec), metrics(first), metrics(measured));
  const classes = await lineage.campaigns.addClass(owner, {
    work: 'train',
    trainedBy: '',
    shift,
    ...hostClass,
  });
  const stored = classes.find((one) => one.work === 'train' && one.id === hostClass.id);
  return { kind: 'here', shift: stored?.shift ?? shift };
}
