import type { TemporalNamespace, Elsewhere } from '../domain/campaign/whereabouts.js';
import type { WorkflowFact } from '../domain/campaign/reconcile.js';
import type { Lineage } from '../lineage/lineage.js';
import type { ServerWorkflows } from './orphaned-workflows.js';

export interface ReconcileRequest {
  /** Name of one campaign; all of them if left out. */
  campaign?: string;
  /** Only report what would be done. */
  dryRun?: boolean;
}

export interface ReconcileContext {
  lineage: Lineage;
  /** State of a workflow on the server. */
  workflowFact: (id: string) => Promise<WorkflowFact>;
  /** Namespace whose campaigns may be settled. */
  namespace: TemporalNamespace;
  /** If left out, only the store is examined. */
  workflows?: ServerWorkflows;
  /** Called once if the work of abandoned trials has to end first. */
  onWait?: (what: string) => void;
  /** Called for each campaign that is left alone because another server may run it. */
  onElsewhere?: (campaign: string, elsewhere: Elsewhere) => void;
}
