import type { SearchAttributeName } from '../src/domain/campaign/campaign.js';
import type { WorkflowFact } from '../src/domain/campaign/reconcile.js';
import type { Clock } from '../src/domain/campaign/clock.js';
import type { Lineage } from '../src/lineage/lineage.js';
import type { PriceTable } from '../src/model/pricing.js';
import type { ServerWorkflows } from './orphaned-workflows.js';

/** What every activity may use: the store, and who this worker is. */
export interface OrchestratorContext {
  lineage: Lineage;
  /** Folders with the tasks that come with assay. */
  bundledTasks: string;
  /** The search attributes of ours that the server knows. */
  registeredAttributes: () => Promise<SearchAttributeName[]>;
  /** The model of campaigns that name none. */
  defaultModel: string;
  /** What the server says of a workflow id. */
  workflowFact: (id: string) => Promise<WorkflowFact>;
  workflows: ServerWorkflows;
  /** By which dollar budgets are kept. */
  prices: PriceTable;
  clock: Clock;
}
