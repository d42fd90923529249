import { AssayError } from '../../domain/errors.js';
import type { ProbeRequest, ProbeResult, ShellRequest, ShellResult } from '../../domain/session/bench.js';
import type { WorkMonitor } from '../../domain/trial/doing.js';
import type { Task } from '../../domain/task/task.js';
import type { FrozenCampaign } from '../../domain/campaign/campaign.js';
import type { Lineage } from '../../lineage/lineage.js';
import type { CallRef } from '../conversation.js';
import type { VisibleTrials } from '../visible-trials.js';
import type { Workspace } from '../workspace.js';

/** Answer to a call, and the workspace after it. */
export interface Answer {
  text: string;
  isError: boolean;
  workspace: Workspace;
}

/** Result of a check in words, and why its files fail it; null where they pass, or where the host is to blame. */
export interface CheckResult {
  text: string;
  failed: string | null;
}

/** Checks a workspace by running the task's own cheap phases; only hosts of the pool can. */
export type Checker = (owner: string, workspace: Workspace, monitor: WorkMonitor) => Promise<CheckResult>;

/** Commands of a session, which only hosts of the pool can run. */
export interface Bench {
  shell: (request: ShellRequest, monitor: WorkMonitor) => Promise<ShellResult>;
  probe: (request: ProbeRequest, monitor: WorkMonitor) => Promise<ProbeResult>;
}

/** All that a call is carried out with. */
export interface CallContext {
  lineage: Lineage;
  call: CallRef;
  frozen: FrozenCampaign;
  spec: Task;
  /** All that the conversation may know of other trials. */
  trials: VisibleTrials;
  workspace: Workspace;
  /** null on workers that are no hosts. */
  check: Checker | null;
  /** Left out on workers that are no hosts. */
  bench?: Bench;
  monitor: WorkMonitor;
}

/** Answers with a text, and leaves the workspace as it is. */
export const said = ({ workspace }: Pick<CallContext, 'workspace'>, text: string): Answer => ({
  text,
  isError: false,
  workspace,
});

/** Answers with an error that the model can act on. */
export const refused = ({ workspace }: Pick<CallContext, 'workspace'>, text: string): Answer => ({
  text,
  isError: true,
  workspace,
});

/** @throws AssayError INTERNAL on a worker that is no host */
export function benchOf({ bench }: Pick<CallContext, 'bench'>): Bench {
  if (bench === undefined)
    throw new AssayError('INTERNAL', 'a command was asked of a worker that cannot run it');
  return bench;
}
