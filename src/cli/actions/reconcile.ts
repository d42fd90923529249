import { join } from 'node:path';
import { reconcile } from '../../../activities/reconcile.js';
import { serverWorkflows, workflowFact } from '../../../workers/reconciling.js';
import { expiredLeases } from '../../sandbox/host/lease.js';
import { sweepDeadWorkers } from '../../sandbox/host/worker-folders.js';
import { withContext } from '../context.js';
import { homeFolder } from '../folders.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

interface Flags extends CommonFlags {
  dryRun?: boolean;
}

export async function run(campaign: string | undefined, flags: Flags): Promise<void> {
  await withContext(['temporal', 'store'], async (ground) => {
    const dryRun = flags.dryRun === true;
    const client = await ground.client();
    const folders = await sweepDeadWorkers(join(homeFolder(), 'work'), dryRun);
    const leases = await expiredLeases(join(homeFolder(), 'leases'));
    const context = {
      lineage: ground.lineage,
      workflowFact: (id: string) => workflowFact(client, id),
      workflows: serverWorkflows(client),
      onWait: say,
    };
    const findings = await reconcile(context, {
      ...(campaign === undefined ? {} : { campaign }),
      dryRun,
    });
    if (flags.json === true) {
      printJson({ schema: 'assay.reconcile/1', dryRun, findings, folders, leases });
      return;
    }
    for (const { campaign: name, what, key, did } of findings) print(`${name}  ${what}  ${key}  ${did}`);
    for (const { folder, killed } of folders)
      print(`-  folder  ${folder}  ${dryRun ? 'would be removed' : `removed, ${killed} processes ended`}`);
    for (const { slot, pid } of leases)
      print(`-  lease  ${slot}  free: process ${pid}, which held it, is dead`);
    const found = findings.length + folders.length + leases.length;
    say(found === 0 ? 'nothing to settle' : `${found} findings`);
  });
}
