import { randomUUID } from 'node:crypto';
import { chmod, mkdir } from 'node:fs/promises';
import { definedFields } from '../../domain/defined-fields.js';
import { probeSeconds } from '../../domain/task/probe-clock.js';
import { readProgress, withPoint, type ProgressPoint } from '../../domain/task/progress.js';
import { trainBudget } from '../../domain/task/phase-clock.js';
import type { ProbeRequest, ProbeResult } from '../../domain/session/bench.js';
import { workbenchRefusal } from '../../domain/session/workbench.js';
import { isHeld } from '../../domain/statuses.js';
import type { WorkMonitor } from '../../domain/trial/doing.js';
import type { Signal } from '../../sandbox/run.js';
import { charged } from '../charged-check.js';
import type { HostContext } from '../host-context.js';
import { hostCampaign, type HostedCampaign } from '../load-trial.js';
import { onLease } from '../on-lease.js';
import { requestOf, START_VARIABLE, type PhaseCall } from '../phases/phase.js';
import { makeRunFolders, removeRunFolders, type RunFolders } from '../phases/run-folders.js';
import { commandEnd } from './command-end.js';

/** Accelerators or slots of a probe, whatever a training takes. */
const LEASE = 1;
const NO_ROOM =
  'The accelerator time that is left of the budget is less than this probe may take, so it was not run, and the campaign waits for a person. A shorter timeout_s asks for less.';

/** Runs a command with the training data on a small lease. */
export async function runProbe(
  context: HostContext,
  request: ProbeRequest,
  { signal, tell }: WorkMonitor,
): Promise<ProbeResult> {
  const work = await hostCampaign(context, request.owner, { work: 'train', signal });
  const { campaign, hosted } = work;
  const refusal =
    workbenchRefusal(campaign.frozen.workbench, context.sandbox.isolation.tier) ??
    (isHeld(campaign.control)
      ? `The campaign is ${campaign.control}, so the probe was not run. Call it again.`
      : null);
  if (refusal !== null) return { ran: false, refusal };
  const gpus = hosted.spec.resources.gpus > 0 ? LEASE : 0;
  const lease = { slots: LEASE, gpus, what: `a probe of ${campaign.frozen.name}`, signal };
  return onLease(context, lease, (on) =>
    on.turn.beside({ signal, tell, doing: 'probing' }, () => leased(on, work, request, signal)),
  );
}

async function leased(
  context: HostContext,
  work: HostedCampaign,
  request: ProbeRequest,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const { owner, role } = request;
  const { spec } = work.hosted;
  const seconds = probeSeconds(spec, work.campaign.frozen.trainSeconds, request);
  const key = await request.begin();
  const charge = { owner, key, what: 'probe', role, trial: null };
  const most = { boundMs: Math.ceil(seconds * 1000) * LEASE, size: LEASE };
  const done = await charged(context.lineage, { charge, ...most }, signal, () =>
    ran(context, work, { ...request, seconds }, signal),
  );
  return done === null ? { ran: false, refusal: NO_ROOM } : done.done;
}

async function ran(
  context: HostContext,
  { hosted, campaign }: HostedCampaign,
  { snapshot, command: asked, seconds }: ProbeRequest & { seconds: number },
  signal: AbortSignal,
): Promise<ProbeResult> {
  const { spec } = hosted;
  const command = asked ?? spec.phases.profile?.run;
  if (command === undefined) return { ran: false, refusal: 'The task has no profile.' };
  const name = `probe-${randomUUID()}`;
  const folders = await makeRunFolders(context, name, await context.lineage.blobs.tree(snapshot));
  try {
    const budget = Math.min(seconds, trainBudget(spec, campaign.frozen.trainSeconds));
    const call = await callOf(hosted, folders, { command, seconds, budget });
    let progress: readonly ProgressPoint[] = [];
    const result = await context.sandbox.run({
      ...requestOf(context, hosted, { ...call, id: name, signal }, folders.tmp),
      onOutput: (_, line) => {
        const point = readProgress(line);
        if (point !== null) progress = withPoint(progress, point);
      },
    });
    if (result.ending.kind === 'cancelled') signal.throwIfAborted();
    return { ran: true, command, progress, ...commandEnd(result) };
  } finally {
    await removeRunFolders(folders);
  }
}

/**
 * Builds the call of a probe: what a training is told, with the training data in sight from its start, and never what
 * is revealed after training, which may be the inputs that are held out.
 */
async function callOf(
  { spec, parts }: HostedCampaign['hosted'],
  { recipe, out, reveal }: RunFolders,
  { command, seconds, budget }: { command: string; seconds: number; budget: number },
): Promise<Omit<PhaseCall, 'id' | 'signal'>> {
  const nothing = (): Promise<void> => Promise.resolve();
  const waits = spec.phases.train.clock?.from === 'ready';
  const reveals = parts.reveal !== null;
  if (reveals) {
    await mkdir(reveal.shown, { recursive: true });
    await chmod(reveal.shown, 0o755);
  }
  const signals: Signal[] = [
    ...(waits ? [{ word: 'ready' as const, show: nothing }] : []),
    ...(reveals ? [{ word: 'trained' as const, show: nothing }] : []),
  ];
  return {
    ...{ phase: 'train', command, cwd: recipe, timeoutS: seconds, writable: [recipe, out] },
    readable: [parts.train, reveals ? reveal.shown : null].filter((folder) => folder !== null),
    ...(waits ? {} : { startVariable: START_VARIABLE }),
    ...(signals.length === 0 ? {} : { signals }),
    ...(spec.resources.gpus > 0 ? { gpus: LEASE } : {}),
    env: {
      ...{ ASSAY_SEED: '1', ASSAY_PROCESS: '0', ASSAY_OUTPUT: out, ASSAY_PROBE: '1' },
      ASSAY_TRAIN_SECONDS: String(budget),
      ...definedFields({ ASSAY_DATA: parts.train, ASSAY_REVEAL: reveals ? reveal.shown : null }),
    },
  };
}
