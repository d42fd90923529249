import { join } from 'node:path';
import type { Command } from 'commander';
import { reconcile } from '../../../activities/reconcile.js';
import { serverWorkflows, workflowFact } from '../../../workers/reconciling.js';
import { expiredLeases } from '../../sandbox/host/lease.js';
import { sweepDeadWorkers } from '../../sandbox/host/worker-folders.js';
import { homeFolder, withContext } from '../context.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

interface Flags extends CommonFlags {
  dryRun?: boolean;
}

export function register(program: Command): void {
  program
    .command('reconcile')
    .description(
      'settle what dead workers and ended campaigns left open: trials, reservations, claims, workflows, folders',
    )
    .argument('[campaign]', 'one campaign; default: all of this store')
    .option('--dry-run', 'only say what would be done')
    .option('--json', 'print JSON (assay.reconcile/1)')
    .addHelpText('before', 'Examples:\n  assay reconcile --dry-run\n  assay reconcile night-1\n')
    .action(async (campaign: string | undefined, flags: Flags) => {
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
          print(
            `-  folder  ${folder}  ${dryRun ? 'would be removed' : `removed, ${killed} processes ended`}`,
          );
        for (const { slot, pid } of leases)
          print(`-  lease  ${slot}  free: process ${pid}, which held it, is dead`);
        const found = findings.length + folders.length + leases.length;
        say(found === 0 ? 'nothing to settle' : `${found} findings`);
      });
    });
}
