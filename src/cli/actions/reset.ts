import { withContext } from '../context.js';
import { resetWorkflow, type ResetAnswer } from '../use-cases/reset-workflow.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

interface Flags extends CommonFlags {
  to: string;
  reason?: string;
}

export async function run(workflow: string, flags: Flags): Promise<void> {
  const reason = flags.reason ?? 'asked by a person';
  const answer = await withContext(['temporal', 'store'], (ground) =>
    resetWorkflow(ground, workflow, flags.to, reason),
  );
  if (flags.json === true) printJson(answer);
  else show(answer);
}

function show({ workflowId, event, newRunId, attended }: ResetAnswer): void {
  print(`${workflowId}: continues after event ${event} as run ${newRunId}`);
  if (!attended) say('no worker runs that could continue it; `assay dev` runs workers on this machine');
}
