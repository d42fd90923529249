import type { SearchAttributeName } from '../src/domain/campaign/campaign.js';
import type { WorkflowFact } from '../src/domain/campaign/reconcile.js';
import type { TemporalNamespace } from '../src/domain/campaign/whereabouts.js';
import type { Clock } from '../src/domain/campaign/clock.js';
import type { Lineage } from '../src/lineage/lineage.js';
import type { PriceTable } from '../src/model/pricing.js';
import type { ServerWorkflows } from '../src/reconcile/orphaned-workflows.js';

/** Dependencies of every activity: the store, and the identity of this worker. */
export interface OrchestratorContext {
  lineage: Lineage;
  /** Folder of the bundled tasks. */
  bundledTasks: string;
  /** Search attributes of assay that the server knows. */
  registeredAttributes: () => Promise<SearchAttributeName[]>;
  /** Model of campaigns that name none. */
  defaultModel: string;
  /** State of a workflow on the server. */
  workflowFact: (id: string) => Promise<WorkflowFact>;
  workflows: ServerWorkflows;
  /** Namespace that this worker polls. */
  namespace: TemporalNamespace;
  /** Prices that dollar budgets are kept with. */
  prices: PriceTable;
  clock: Clock;
}
