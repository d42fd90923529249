import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import type { Outside } from '../../analysis/audit/audit.js';
import type { HostSide, KeptHere, ServerSide } from '../../analysis/audit/facts.js';
import { probePort } from '../../dev/process/probe-port.js';
import { messageOf } from '../../domain/errors.js';
import { parseTrialRef, trialWorkflowId } from '../../domain/keys.js';
import { ownFact, starterOf, type OpenTrialFacts } from '../../domain/campaign/reconcile.js';
import { elsewhereText, findElsewhere } from '../../domain/campaign/whereabouts.js';
import type { CampaignDocument } from '../../lineage/documents/campaign.js';
import type { TrialDocument } from '../../lineage/documents/trial.js';
import { acceleratorMemory } from '../../devices/accelerator-memory.js';
import { keptHere } from '../../measure/host-store/kept-here.js';
import { slotHolders } from '../../sandbox/host/lease.js';
import { workersHere } from '../../sandbox/host/worker-folders.js';
import { serverWorkflows, workflowFact } from '../../../workers/reconciling.js';
import { temporalNamespace } from '../../../workers/temporal-namespace.js';
import { PROBE_MS } from '../follow/inspect-server.js';
import type { CommandContext } from '../context.js';

/** The server and this host as an audit sees them. `home`: the folder of this host's workers. */
export function outsideOf(
  { servers, client }: Pick<CommandContext, 'servers' | 'client'>,
  home: string,
): Outside {
  const { address } = servers.temporal;
  return {
    host: () => hostSide(home),
    kept: () => keptOn(home),
    server: async (campaign, open) => {
      if (address === '') return 'no Temporal server of this clone runs';
      try {
        await probePort(address, PROBE_MS);
        const asked = await client();
        const elsewhere = await findElsewhere(campaign, temporalNamespace(asked));
        if (elsewhere !== null) return `${campaign._id} is left out: ${elsewhereText(elsewhere)}`;
        return await serverSide(asked, campaign, open);
      } catch (error) {
        return messageOf(error);
      }
    },
  };
}

async function keptOn(home: string): Promise<KeptHere | null> {
  const store = await keptHere(home);
  if (store === null) return null;
  return {
    folder: store.place.folder,
    keeps: (digest) => store.keeps(digest),
    examine: (digest) => store.examine(digest),
  };
}

const DEADLINE_MS = 60_000;

/** Open trials are asked for by name; of all others the server may have forgotten by now that they ended. */
export async function serverSide(
  client: Client,
  { _id: name }: Pick<CampaignDocument, '_id'>,
  trials: readonly TrialDocument[],
): Promise<ServerSide> {
  return client.connection.withDeadline(Date.now() + DEADLINE_MS, async () => {
    const starters = new Map<string, OpenTrialFacts['lane']>();
    const open = new Map<number, OpenTrialFacts>();
    for (const trial of trials) {
      const { number } = trial;
      const starter = starterOf(trial, name);
      const fact = starters.get(starter) ?? (await workflowFact(client, starter));
      starters.set(starter, fact);
      const own = await workflowFact(client, trialWorkflowId(name, number));
      open.set(number, { trial: ownFact(trial, own), lane: fact });
    }
    const running: { id: string; trial: number | null }[] = [];
    for (const { id, type } of await serverWorkflows(client).running(name))
      // the list of the server lags behind
      if ((await workflowFact(client, id)) === 'running')
        running.push({ id, trial: type === 'trial' ? (parseTrialRef(id)?.number ?? null) : null });
    return { open, running };
  });
}

async function hostSide(home: string): Promise<HostSide | string> {
  if (process.platform === 'win32') return 'processes are not looked at on this system';
  const here = await workersHere(join(home, 'work'));
  const memory = here.runs.length === 0 ? 'no process of a recipe runs' : await acceleratorMemory();
  const bytesOf = (pid: number): number | null =>
    typeof memory === 'string' ? null : (memory.get(pid) ?? 0);
  return {
    ...here,
    name: hostname(),
    runs: here.runs.map((run) => ({ ...run, acceleratorBytes: bytesOf(run.pid) })),
    holders: await slotHolders(join(home, 'leases')),
    accelerators: typeof memory === 'string' ? memory : null,
  };
}
