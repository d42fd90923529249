import type { SearchAttributeName } from '../src/domain/campaign.js';
import type { WorkflowFact } from '../src/domain/reconcile.js';
import type { Clock } from '../src/domain/clock.js';
import type { Lineage } from '../src/lineage/lineage.js';
import type { ModelEndpoints } from '../src/model/endpoints.js';
import type { PriceTable } from '../src/model/pricing.js';
import type { LeasePool } from '../src/sandbox/lease.js';
import type { HostTurn } from '../src/sandbox/process/host-turn.js';
import type { Sandbox } from '../src/sandbox/run.js';
import type { TaskHost } from '../src/tasks/host.js';
import type { ServerWorkflows } from './strays.js';

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

/** What activities that start processes use besides. */
export interface HostContext {
  lineage: Lineage;
  host: HostIdentity;
  tasks: TaskHost;
  sandbox: Sandbox;
  leases: LeasePool;
  /** Whatever runs a recipe's code takes it once, at its outermost level. */
  turn: HostTurn;
}

export interface ModelContext {
  lineage: Lineage;
  endpoints: ModelEndpoints;
  prices: PriceTable;
}

export interface HostIdentity {
  /** How the host is called in records and messages. */
  name: string;
  /** Hosts whose timings can be compared have the same class. */
  hostClass: string;
  /** This process, as Temporal shows it. */
  worker: string;
  /** This process among all that this machine has run; the prefix of its runs. */
  process: string;
  /** A folder of this process for workspaces that are removed after use. */
  work: string;
}
