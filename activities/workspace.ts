import type { Lineage } from '../src/lineage/lineage.js';
import { check } from '../src/measure/prepare.js';
import type { HostContext } from '../src/measure/host-context.js';
import { checkAnswer } from '../src/model/answers.js';
import type { TurnRef } from '../src/session/conversation.js';
import type { Bench, Checker } from '../src/session/tools/answer.js';
import { runTools } from '../src/session/tools/run-tools.js';
import { arrived, unsized, type Arrive } from '../src/measure/arrive.js';
import { runProbe } from '../src/measure/workbench/probe.js';
import { runShell } from '../src/measure/workbench/shell.js';
import { withMonitor } from './heartbeat.js';

export interface WorkspaceActivities {
  /** Runs the tool calls of a turn that read or change the workspace. */
  runTools(at: TurnRef): Promise<void>;
}

export function workspaceActivities(context: {
  lineage: Lineage;
  check: Checker | null;
  bench?: Bench;
}): WorkspaceActivities {
  return {
    runTools: (at) => withMonitor('answering', (monitor) => runTools({ ...context, monitor }, at)),
  };
}

/** Checks a workspace with the phases that prepare a trial; the result is in words. */
export function checkerOf(context: HostContext, arrive: Arrive = unsized): Checker {
  return async (owner, { snapshot }, monitor) => {
    const result = await arrived(context, arrive, (on) => check(on, { owner, snapshot }, monitor));
    return { text: checkAnswer(result), failed: result.failed };
  };
}

/** Runs commands of sessions on this host. */
export function benchOf(context: HostContext, arrive: Arrive = unsized): Bench {
  return {
    shell: (request, monitor) => arrived(context, arrive, (on) => runShell(on, request, monitor)),
    probe: (request, monitor) => arrived(context, arrive, (on) => runProbe(on, request, monitor)),
  };
}
