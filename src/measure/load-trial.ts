import {
  hostClassOf,
  refusalOfClass,
  type AskedClass,
  type HostClass,
  type MeasuredWork,
} from '../domain/devices/host-class.js';
import { AssayError } from '../domain/errors.js';
import { evaluationGpus } from '../domain/task/device-needs.js';
import { unfitDevices } from '../domain/task/phase-resources.js';
import type { Task } from '../domain/task/task.js';
import { isWeaker } from '../domain/task/isolation.js';
import type { CampaignDocument } from '../lineage/documents/campaign.js';
import type { TrialDocument } from '../lineage/documents/trial.js';
import type { HostedTask } from '../tasks/host.js';
import type { HostContext, RunHost } from './host-context.js';

/** A campaign with its task as it lies on this host. */
export interface HostedCampaign {
  campaign: CampaignDocument;
  hosted: HostedTask;
  /** The class of this host for its work. */
  hostClass: HostClass;
}

/** A trial with everything a host needs to work on it. */
export interface HostedTrial extends HostedCampaign {
  trial: TrialDocument;
}

/** Work that a host is asked to do. */
export interface AskedWork {
  /** The kind of hosts that it needs; checks are done by those that evaluate. */
  work: MeasuredWork;
  /** Of an evaluation: the class that trained what it scores; of a check it is not known. */
  trainedBy?: string;
  signal: AbortSignal;
}

/**
 * The campaign's task, materialised here and agreed upon with the other hosts.
 * @throws AssayError ISOLATION_TOO_WEAK when the campaign demands a tier that this host does not hold;
 * ACCELERATORS_DIFFER when its accelerators are not those that the task asks for; HOST_CLASS_DIFFERS when the campaign
 * belongs to hosts of another class
 */
export async function hostCampaign(
  { lineage, tasks, sandbox, host, devices }: HostContext,
  owner: string,
  { work, trainedBy, signal }: AskedWork,
): Promise<HostedCampaign> {
  const campaign = await lineage.campaigns.byOwner(owner);
  const { isolation: demanded } = campaign.frozen;
  const { tier } = sandbox.isolation;
  if (isWeaker(tier, demanded)) {
    const message = `the campaign demands isolation tier ${demanded ?? ''} or stronger, and ${host.name} holds tier ${tier}`;
    throw new AssayError('ISOLATION_TOO_WEAK', message);
  }
  const task = await lineage.tasks.get(campaign.frozen.task.digest);
  requireDevices(task.spec, work, { host, devices });
  const files = (): Promise<{ path: string; bytes: Uint8Array }[]> => lineage.blobs.readFiles(task.files);
  const source = { spec: task.spec, digest: task._id, dataSecret: task.dataSecret, files };
  const hosted = await tasks.host(source, signal);
  const hostClass = classFor({ host, devices }, hosted, work);
  // what several classes may do is decided for each training
  const isOpen = campaign.frozen.hostClasses === 'any' && trainedBy === undefined;
  if (!isOpen) requireClass(campaign.hostClasses, { work, trainedBy }, { name: host.name, hostClass });
  if (hosted.manifest !== null && task.manifest !== hosted.manifest)
    await lineage.tasks.agreeOnManifest(task._id, hosted.manifest);
  return { campaign, hosted, hostClass };
}

export async function hostTrial(
  context: HostContext,
  of: { owner: string; number: number },
  asked: AskedWork,
): Promise<HostedTrial> {
  const hosted = await hostCampaign(context, of.owner, asked);
  return { ...hosted, trial: await context.lineage.trials.require(of.owner, of.number) };
}

/**
 * Makes a campaign belong to the class of the host that brings its first result, for a kind of its work; what several
 * hosts began with nothing known counts from one class alone.
 * @throws AssayError HOST_CLASS_DIFFERS when it belongs to another one by now
 */
export async function requireCalibratedBy(
  { lineage, host }: HostContext,
  { campaign: { owner, hostClasses }, hostClass }: HostedCampaign,
  { work, trainedBy = '' }: AskedClass,
): Promise<void> {
  const asked = { work, trainedBy };
  const isKnown = hostClasses.some(
    (one) => one.work === work && one.trainedBy === trainedBy && one.id === hostClass.id,
  );
  if (isKnown) return;
  const calibrated = await lineage.campaigns.belongTo(owner, { ...asked, shift: {}, ...hostClass });
  requireClass(calibrated, asked, { name: host.name, hostClass });
}

function classFor(
  { host, devices }: Pick<HostContext, 'host' | 'devices'>,
  { spec, python }: HostedTask,
  work: MeasuredWork,
): HostClass {
  const gpus = work === 'train' ? spec.resources.gpus : evaluationGpus(spec);
  return hostClassOf(host.machine, python.libraries, devices?.devices.slice(0, gpus) ?? []);
}

/** Returns true where this host may evaluate what a class of hosts has trained, by what is known now. */
export async function mayEvaluate(
  context: Pick<HostContext, 'lineage' | 'host' | 'devices'>,
  { hosted, campaign: { owner } }: HostedCampaign,
  trainedBy: string,
): Promise<boolean> {
  const { hostClasses } = await context.lineage.campaigns.byOwner(owner);
  const here = { name: context.host.name, hostClass: classFor(context, hosted, 'evaluate') };
  return refusalOfClass(hostClasses, { work: 'evaluate', trainedBy }, here) === null;
}

function requireClass(...of: Parameters<typeof refusalOfClass>): void {
  const refusal = refusalOfClass(...of);
  if (refusal !== null) throw new AssayError('HOST_CLASS_DIFFERS', refusal);
}

/**
 * Refuses work for accelerators that this host does not have.
 * @throws AssayError ACCELERATORS_DIFFER
 */
export function requireDevices(
  task: Task,
  work: MeasuredWork,
  { host, devices }: Pick<RunHost, 'host' | 'devices'>,
): void {
  const unfit = unfitDevices(task, work, devices?.devices ?? []);
  if (unfit !== null) throw new AssayError('ACCELERATORS_DIFFER', `${host.name} leaves the work: ${unfit}`);
}
