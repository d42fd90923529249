import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../src/domain/digest.js';
import { firstMiss, margins, type Margin } from '../src/domain/gates.js';
import { missText } from '../src/domain/outcome-of.js';
import type { Failure } from '../src/domain/outcome.js';
import { checkAnswer } from '../src/model/answers.js';
import { seal } from '../src/sandbox/seal.js';
import type { HostedTask } from '../src/tasks/host.js';
import type { HostContext } from './context.js';
import type { TrialRef } from './decide.js';
import { hostCampaign, hostTrial } from './hosting.js';
import { countedBytes, failureOf, requestOf, tailOf, withWorkspace, type PhaseCall } from './phases.js';
import { withPulse } from './pulse.js';
import type { Workspace } from './workspace-state.js';

export type PrepareNext = 'train' | 'decide' | 'twin';

export interface PrepareActivities {
  /**
   * Everything that can be found out before an accelerator is taken. `twin`: an earlier trial with the same
   * snapshot has not ended; waiting for it is not done here, where it would take the place of that trial's own work.
   */
  prepare(of: TrialRef): Promise<{ next: PrepareNext }>;
}

export function prepareActivities(context: HostContext): PrepareActivities {
  return { prepare: (of) => prepare(context, of) };
}

async function prepare(context: HostContext, of: TrialRef): Promise<{ next: PrepareNext }> {
  const { lineage } = context;
  const trial = await lineage.trials.require(of.owner, of.number);
  if (trial.status !== null || trial.preflight !== null) return { next: 'decide' };
  const limits = async () => (await lineage.campaigns.byOwner(of.owner)).frozen.limits;
  const twin = await lineage.trials.currentTwin(trial, limits);
  if (twin !== null) return { next: twin.status === null ? 'twin' : 'decide' };
  return withPulse(
    () => of.number,
    async (signal) => {
      await lineage.trials.setStage(of.owner, of.number, 'preparing');
      const { hosted } = await hostTrial(context, of, signal);
      const { failure } = await preflight(context, hosted, trial.snapshot, signal);
      if (failure === null) return { next: 'train' };
      await lineage.trials.setPreflight(of.owner, of.number, failure);
      return { next: 'decide' };
    },
  );
}

interface Preflight {
  failure: Failure | null;
  margins: Margin[];
  projected: boolean;
  log: string;
}

/** The task's check, the exact size of the code, and, where the task has a smoke run, the projected packed size. */
async function preflight(
  context: HostContext,
  hosted: HostedTask,
  snapshot: string,
  signal: AbortSignal,
): Promise<Preflight> {
  const { lineage, sandbox } = context;
  const { check, smoke, pack } = hosted.spec.phases;
  const code = countedBytes(hosted.spec, await lineage.blobs.tree(snapshot));
  const known = gatesWith(hosted, code);
  const miss = firstMiss(known);
  if (miss !== undefined) return { failure: staticFailure(miss), margins: known, projected: false, log: '' };
  const name = `check-${sha256(`${snapshot}\0${context.host.worker}\0${Math.random()}`).slice(0, 16)}`;
  return withWorkspace(context, name, snapshot, async ({ folder, recipe, tmp }) => {
    const [out, artifact] = [join(folder, 'out'), join(folder, 'artifact')];
    await mkdir(out);
    await mkdir(artifact);
    const run = async (call: Pick<PhaseCall, 'phase' | 'command' | 'timeoutS' | 'env' | 'writable'>) => {
      const result = await sandbox.run(
        requestOf(
          context,
          hosted,
          { ...call, id: `${name}/${call.phase}`, cwd: recipe, readable: [], signal },
          tmp,
        ),
      );
      if (result.ending.kind === 'cancelled') signal.throwIfAborted();
      return { failure: failureOf(call.phase, result), log: result.log };
    };
    const writable = [recipe, out, artifact];
    if (check !== undefined) {
      const { failure, log } = await run({
        phase: 'check',
        command: check.run,
        timeoutS: check.timeout_s,
        env: {},
        writable,
      });
      if (failure !== null) return { failure, margins: known, projected: false, log };
    }
    if (smoke === undefined) return { failure: null, margins: known, projected: false, log: '' };
    const smoked = await run({
      phase: 'smoke',
      command: smoke.run,
      timeoutS: smoke.timeout_s,
      env: { ASSAY_OUTPUT: out, ASSAY_SEED: '1', ASSAY_TRAIN_SECONDS: '1' },
      writable,
    });
    if (smoked.failure !== null || pack === undefined)
      return { failure: smoked.failure, margins: known, projected: false, log: smoked.log };
    const packed = await run({
      phase: 'smoke',
      command: pack.run,
      timeoutS: pack.timeout_s,
      env: { ASSAY_INPUT: out, ASSAY_OUTPUT: artifact },
      writable,
    });
    if (packed.failure !== null)
      return { failure: packed.failure, margins: known, projected: false, log: packed.log };
    const sealed = await seal(artifact, sealLimits(hosted)).catch(() => null);
    const projected = sealed === null ? known : gatesWith(hosted, code + sealed.bytes);
    return { failure: null, margins: projected, projected: true, log: smoked.log };
  });
}

/** What may be sealed at most: far above any gate, low enough to protect the host. */
export function sealLimits(hosted: HostedTask): { maxBytes: number; maxFiles: number } {
  return { maxBytes: hosted.spec.resources.disk_mb * 1024 * 1024, maxFiles: 1000 };
}

const gatesWith = (hosted: HostedTask, bytes: number): Margin[] =>
  margins(
    hosted.spec.gates.filter((gate) => gate.metric === 'bytes'),
    { bytes },
  );

function staticFailure(miss: Margin): Failure {
  return {
    status: 'size_blocked',
    phase: 'static',
    reason: missText(miss),
    limit: { name: miss.gate, used: miss.value, allowed: miss.limit, unit: 'bytes' },
    tail: '',
  };
}

/** The `check` tool of a session: the same preflight, told in words. */
export function checkerOf(
  context: HostContext,
): (owner: string, workspace: Workspace, signal: AbortSignal) => Promise<string> {
  return async (owner, workspace, signal) => {
    const { hosted } = await hostCampaign(context, owner, signal);
    const {
      failure,
      margins: found,
      projected,
      log,
    } = await preflight(context, hosted, workspace.snapshot, signal);
    const said = failure === null ? tailOf(log) : `${failure.phase}: ${failure.reason}\n${failure.tail}`;
    return checkAnswer({ ok: failure === null, margins: found, projected, log: said });
  };
}
