import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { resourcesOf } from '../../domain/task/phase-resources.js';
import type { ShellRequest, ShellResult } from '../../domain/session/bench.js';
import { workbenchRefusal } from '../../domain/session/workbench.js';
import type { WorkMonitor } from '../../domain/trial/doing.js';
import type { HostedTask } from '../../tasks/host.js';
import type { HostContext } from '../host-context.js';
import { hostCampaign } from '../load-trial.js';
import { requestOf, type PhaseCall } from '../phases/phase.js';
import { makeRunFolders, removeRunFolders } from '../phases/run-folders.js';
import { commandEnd } from './command-end.js';
import { keptFiles } from './kept-files.js';

/** Bytes of output that reach the model. */
const OUTPUT_BYTES = 30_000;
/** Files and folders of a recipe in which something is to be kept. */
const MOST_ENTRIES = 5000;

/**
 * Runs a command with what a check of the recipe may see: its files, and no data, network or accelerator; with the
 * memory, disk and processes of a check.
 */
export async function runShell(
  context: HostContext,
  request: ShellRequest,
  { signal, tell }: WorkMonitor,
): Promise<ShellResult> {
  const { hosted, campaign } = await hostCampaign(context, request.owner, { work: 'evaluate', signal });
  const refusal = workbenchRefusal(campaign.frozen.workbench, context.sandbox.isolation.tier);
  if (refusal !== null) return { ran: false, refusal };
  return context.turn.beside({ signal, tell, doing: 'running a command of a session' }, () =>
    ran(context, hosted, request, signal),
  );
}

async function ran(
  context: HostContext,
  hosted: HostedTask,
  { snapshot, command, timeoutS, keep }: ShellRequest,
  signal: AbortSignal,
): Promise<ShellResult> {
  const { spec } = hosted;
  const files = await context.lineage.blobs.tree(snapshot);
  const name = `shell-${randomUUID()}`;
  const folders = await makeRunFolders(context, name, files);
  const { folder, recipe, tmp } = folders;
  try {
    const call: PhaseCall = {
      ...{ id: name, command: `exec bash -c ${quoted(command)}`, cwd: recipe, timeoutS, signal },
      ...{ phase: 'check', writable: [recipe], readable: [], env: {} },
    };
    const asked = requestOf(context, hosted, call, tmp);
    const limits = { ...asked.limits, logBytes: Math.min(asked.limits.logBytes, OUTPUT_BYTES) };
    const result = await context.sandbox.run({ ...asked, limits });
    if (result.ending.kind === 'cancelled') signal.throwIfAborted();
    const most = { maxBytes: resourcesOf(spec, 'check').disk_mb * 2 ** 20, maxEntries: MOST_ENTRIES };
    const keeping = keep
      ? await keptFiles(
          { recipe, copy: join(folder, 'kept') },
          { files, editable: spec.recipe.editable },
          most,
        )
      : null;
    return { ran: true, ...commandEnd(result), keeping };
  } finally {
    await removeRunFolders(folders);
  }
}

/** A text as one word of a shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
