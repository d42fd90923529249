import { sha256 } from '../../domain/digest.js';
import { trialLabel } from '../../domain/keys.js';
import { isEnded } from '../../domain/statuses.js';
import type { ReplicateDocument } from '../../lineage/documents/replicate.js';
import {
  Finder,
  type CampaignFacts,
  type Checked,
  type HostRun,
  type HostSide,
  type StoreFacts,
} from './facts.js';

/** No process, accelerator memory or folder outlives its lease: what belongs to this campaign. */
export function checkLeases({ store, host }: CampaignFacts): Checked {
  const { campaign } = store;
  const finder = new Finder(campaign._id);
  const work = Object.values(campaign.active);
  if (isEnded(campaign.state))
    for (const { what, trial, host: on } of work)
      finder.say(
        `${what} of ${trialLabel(trial)}`,
        `the campaign is ${campaign.state}, and the work is still registered on ${on}`,
      );
  const examined = { 'registered work': work.length };
  if (typeof host === 'string')
    return {
      examined,
      notExamined: [{ what: 'processes and folders of this host', why: host }],
      violations: finder.violations,
    };
  const seen = onHost(finder, store, host);
  return {
    examined: { ...examined, ...seen },
    notExamined: [{ what: `processes and folders of other hosts than ${host.name}`, why: 'run it there' }],
    violations: finder.violations,
  };
}

/** Checks this host for leftovers of dead workers, whichever campaign they worked for. */
export function checkHost(host: HostSide | string): Checked {
  if (typeof host === 'string') return { examined: {}, notExamined: [], violations: [] };
  const finder = new Finder('-');
  for (const { name, living } of host.workers)
    if (!living) finder.say(`folder of worker ${name}`, `the worker is dead; \`assay reconcile\` removes it`);
  for (const run of host.runs)
    if (!run.living && hasFolder(host, run)) finder.say(`process ${run.pid}`, orphaned(run));
  for (const group of host.groups) finder.say(group, 'the control group belongs to a worker that is dead');
  return {
    examined: { workers: host.workers.length, processes: host.runs.length },
    notExamined:
      host.accelerators === null ? [] : [{ what: 'memory of accelerators', why: host.accelerators }],
    violations: finder.violations,
  };
}

/** Workers without a folder here have another home, whose audit tells of them. */
const hasFolder = ({ workers }: HostSide, { worker }: HostRun): boolean =>
  workers.some(({ name }) => name === worker);

const orphaned = ({ of, worker, acceleratorBytes }: HostRun): string =>
  `it runs ${of === '' ? 'as a user' : of} of worker ${worker}, which is dead${holding(acceleratorBytes)}`;

const holding = (bytes: number | null): string =>
  bytes === null || bytes === 0 ? '' : `, and holds ${bytes} bytes of an accelerator`;

/** `REPLICATE/FENCE/PHASE`; each of the servers of one evaluation has a name by chance. */
const RUN = /^(.+)\/(\d+)\/([a-z]+)(?:-[0-9a-f]+)?$/;
const NEEDS_SLOT = ['prewarm', 'train', 'pack', 'control'];
/** The folder of an attempt, of its prewarm, or of the start beside it: of its replicate's key, and its fence. */
const FOLDER = /^([0-9a-f]{20})-(\d+)(?:-start|-prewarm)?$/;

function onHost(finder: Finder, store: StoreFacts, host: HostSide): Record<string, number> {
  const { campaign, replicates } = store;
  const byKey = new Map(replicates.documents.map((each) => [each._id, each]));
  const byHash = new Map(replicates.documents.map((each) => [sha256(each._id).slice(0, 20), each]));
  const own = host.runs.filter(({ of }) => of.startsWith(`${campaign.owner}/`));
  for (const run of own) {
    if (!run.living) {
      if (!hasFolder(host, run)) finder.say(`process ${run.pid}`, orphaned(run));
      continue;
    }
    const [, key = '', fence, phase = ''] = RUN.exec(run.of) ?? [];
    const over = overBecause(store, byKey.get(key), Number(fence)) ?? withoutSlot(host, run, phase);
    if (over !== null)
      finder.say(`process ${run.pid}`, `it runs ${run.of}${holding(run.acceleratorBytes)}, and ${over}`);
  }
  let folders = 0;
  for (const { name, living, folders: inside } of host.workers)
    for (const folder of living ? inside : []) {
      const [, hash = '', fence] = FOLDER.exec(folder) ?? [];
      const replicate = byHash.get(hash);
      if (replicate === undefined) continue;
      folders += 1;
      const over = overBecause(store, replicate, Number(fence));
      if (over !== null) finder.say(`folder ${name}/${folder}`, over);
    }
  return { 'own processes': own.length, 'own folders': folders };
}

/**
 * Returns the reason why nothing may be left of an attempt; null while it may be at work, even if overtaken.
 */
function overBecause(
  { campaign, trials }: StoreFacts,
  replicate: ReplicateDocument | undefined,
  fence: number,
): string | null {
  if (isEnded(campaign.state)) return `the campaign is ${campaign.state}`;
  if (replicate === undefined) return 'the store has no such measurement';
  const { trained, evaluated, holder } = replicate;
  if (trained?.fence === fence || evaluated?.fence === fence) return `its result was published`;
  if (holder === null) return 'no attempt holds the measurement';
  const of = trials.documents.filter((trial) => trial.replicates.includes(replicate._id));
  const open = of.some(({ status }) => status === null);
  return open || of.length === 0 ? null : 'every trial that it measures has ended';
}

/** Checks that a training holds a slot of this host, as far as its worker takes slots here. */
function withoutSlot(host: HostSide, run: HostRun, phase: string): string | null {
  if (!NEEDS_SLOT.includes(phase) || !hasFolder(host, run)) return null;
  return host.holders.includes(Number.parseInt(run.worker, 10))
    ? null
    : 'its worker holds no slot of this host';
}
