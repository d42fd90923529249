import { Context } from '@temporalio/activity';
import {
  isUnended,
  limitsFrom,
  reachedLimit,
  type LimitChange,
  type Limits,
} from '../src/domain/money/budget.js';
import {
  CLAIM_RUNS,
  campaignInputSchema,
  frozenCampaignSchema,
  type CampaignInput,
  type FrozenCampaign,
  type Lane,
} from '../src/domain/campaign/campaign.js';
import type { Reason } from '../src/domain/campaign/reasons.js';
import { isDue, type CampaignProgress, type Sighting } from '../src/domain/campaign/transitions.js';
import { ruleNamed } from '../src/domain/decision/records/record.js';
import { workbenchOf } from '../src/domain/session/workbench.js';
import { allModels } from '../src/domain/session/model-settings.js';
import { genericLanes } from '../src/domain/session/roles.js';
import { definedFields } from '../src/domain/defined-fields.js';
import { AssayError } from '../src/domain/errors.js';
import { explain } from '../src/domain/text/explain.js';
import {
  START,
  campaignNameSchema,
  laneId,
  ownerOf,
  trialLabel,
  trialWorkflowId,
} from '../src/domain/keys.js';
import type { CampaignState, RunControl, TrialStatus } from '../src/domain/statuses.js';
import { confidenceOfEach } from '../src/domain/decision/claim/claim.js';
import { DETERMINISTIC, exclusiveEvaluation, type Task } from '../src/domain/task/task.js';
import { phaseSeconds } from '../src/domain/task/bounds.js';
import { demandedTier, evaluationGpus, leaseSize, preflightGpus } from '../src/domain/task/device-needs.js';
import type { IsCurrent } from '../src/lineage/campaigns.js';
import type { CampaignDocument } from '../src/lineage/documents/campaign.js';
import type { Lineage } from '../src/lineage/lineage.js';
import type { TaskDocument } from '../src/lineage/documents/task.js';
import { frozenModels } from '../src/model/frozen-models.js';
import { findTask } from '../src/tasks/find.js';
import { snapshotFault } from '../src/tasks/recipe.js';
import { claimRunBound, claimsOf, reserveClaim } from '../src/measure/decision/claim-reservation.js';
import type { OrchestratorContext } from './context.js';
import { changeLimits, leavesRoom, requirePrices, type LimitsAnswer } from './limits.js';
import { poll } from './heartbeat.js';

export interface FreezeRequest {
  input: unknown;
  /** The workflow id, which is the campaign's name. */
  name: string;
  namespace: string;
  firstExecutionRunId: string;
}

/** Report of the watch, as the campaign workflow keeps it. */
export interface WatchReport extends Sighting {
  asOf: string;
  submitted: number;
  counted: number;
  ended: number;
  frontier: string | null;
  frontierVersion: number;
  bestScore: number | null;
  best: { trial: string; role: string; status: TrialStatus; score: number; hypothesis: string }[];
  /** Current limit. */
  trialsLimit: number;
}

export interface CampaignActivities {
  freeze(request: FreezeRequest): Promise<FrozenCampaign>;
  setState(to: { owner: string; state: CampaignState; reason: Reason | null }): Promise<void>;
  setControl(to: {
    owner: string;
    control: RunControl;
    reason: Reason | null;
    stopped: boolean;
  }): Promise<void>;
  look(of: { owner: string }): Promise<WatchReport>;
  watch(of: { owner: string; seen: number; progress: CampaignProgress }): Promise<WatchReport>;
  /** Lets nothing begin until a person resumes; returns the control that holds afterwards. */
  block(of: { owner: string; reason: Reason }): Promise<RunControl>;
  /** Stores a change of limits, once for each `id`. */
  changeLimits(of: { owner: string; id: string; change: LimitChange }): Promise<LimitsAnswer>;
  awaitControl(of: { owner: string; until: RunControl[] }): Promise<RunControl>;
}

const LOOK_EVERY_MS = 1500;
const QUIET_MS = 20_000;
const WATCH_MS = 3_600_000;

/** Activities of the campaign itself: freezing, its state, and the watch over its limits. */
export function campaignActivities(context: OrchestratorContext): CampaignActivities {
  const { lineage, clock } = context;
  return {
    freeze: (request) => freeze(context, request),
    setState: ({ owner, state, reason }) => lineage.campaigns.setState(owner, state, reason, inTime()),
    setControl: ({ owner, control, reason, stopped }) =>
      lineage.campaigns.setControl(owner, control, reason, { stopped, current: inTime() }),
    look: async ({ owner }) => reportOn(context, await lineage.campaigns.byOwner(owner)),
    changeLimits: (of) => changeLimits(context, of),
    block: ({ owner, reason }) => lineage.campaigns.block(owner, reason),
    watch: ({ owner, seen, progress }) => {
      const since = clock.monotonicMs();
      return poll(LOOK_EVERY_MS, async () => {
        const report = await reportOn(context, await count(context, owner));
        const elapsed = clock.monotonicMs() - since;
        const told = isDue(progress, report);
        const improved = report.frontierVersion > seen && elapsed > QUIET_MS;
        return told || improved || elapsed > WATCH_MS ? report : null;
      });
    },
    awaitControl: ({ owner, until }) =>
      poll(LOOK_EVERY_MS, async () => {
        const { control } = await lineage.campaigns.byOwner(owner);
        return until.includes(control) ? control : null;
      }),
  };
}

/**
 * Returns a check that is true while this attempt has time left: one that slept longer must not undo the work of a
 * later one.
 */
function inTime(): IsCurrent {
  const deadline = performance.now() + Context.current().info.startToCloseTimeoutMs;
  return () => performance.now() < deadline;
}

async function freeze(context: OrchestratorContext, request: FreezeRequest): Promise<FrozenCampaign> {
  const { lineage } = context;
  const owner = ownerOf(request.namespace, request.firstExecutionRunId);
  const before = await lineage.campaigns.find(request.name);
  if (before?.owner === owner) {
    await openBudget(context, before.frozen);
    return before.frozen;
  }
  if (before === null && (await context.workflowFact(trialWorkflowId(request.name, START))) !== 'missing')
    throw new AssayError(
      'CAMPAIGN_NAME_TAKEN',
      `this Temporal server has trials of an earlier campaign "${request.name}", which this store does not know`,
    );
  const input = parseInput(request);
  const task = await findTask(context, input.task);
  await requireRecipe(context, input, task);
  const attributes = await context.registeredAttributes();
  const workbench = workbenchOf(
    input.workbench,
    demandedTier(task.spec, input.isolation),
    await lineage.hosts.tiersOf(task.spec.resources.pool),
  );
  const frozen = { ...resolve(context, request, owner, input, task, attributes), workbench };
  requireRoomForClaim(frozen, task.spec);
  const namespaceId = await context.namespace.id();
  // whoever finds a campaign reads its budget
  if (before === null) await lineage.budgets.create(owner, frozen.limits);
  const stored = await lineage.campaigns.freeze(frozen, namespaceId);
  await openBudget(context, stored.frozen);
  Context.current().log.info('campaign frozen', {
    campaign: request.name,
    task: task.name,
    digest: task._id,
  });
  return stored.frozen;
}

/** @throws AssayError RECIPE_INVALID if a recipe that it comes with could not be submitted to it */
async function requireRecipe(
  { lineage }: OrchestratorContext,
  { submission, warmStart }: CampaignInput,
  task: TaskDocument,
): Promise<void> {
  for (const { snapshot } of submission === undefined ? warmStart : [submission]) {
    const fault = await snapshotFault(lineage, task, snapshot);
    if (fault !== null) throw new AssayError('RECIPE_INVALID', fault);
  }
}

async function openBudget({ lineage }: OrchestratorContext, frozen: FrozenCampaign): Promise<void> {
  const { owner, limits, task, claim, trainSeconds } = frozen;
  await lineage.budgets.create(owner, limits);
  if (limits.acceleratorMs === null || claim.runs === 0) return;
  const { spec } = await lineage.tasks.get(task.digest);
  for (const of of claimsOf(frozen))
    await reserveClaim(lineage, of, claim.runs, claimRunBound(spec, trainSeconds));
}

/** @throws AssayError CAMPAIGN_INPUT if the claim alone could use up the accelerator budget */
function requireRoomForClaim({ limits, claim, trainSeconds }: FrozenCampaign, spec: Task): void {
  const runs = (claim.at.length + 1) * 2 * claim.runs;
  const { trainMs, evaluateMs } = claimRunBound(spec, trainSeconds);
  const needs = runs * (trainMs + evaluateMs);
  if (limits.acceleratorMs === null || needs < limits.acceleratorMs) return;
  throw new AssayError(
    'CAMPAIGN_INPUT',
    `acceleratorSeconds: the ${runs} fresh runs of what is claimed can take ${Math.ceil(needs / 1000)} s, which leaves nothing of ${limits.acceleratorMs / 1000} s for the search; give more, or fewer runs in claim.runs (0: nothing is claimed)`,
  );
}

function parseInput(request: FreezeRequest): CampaignInput {
  const name = campaignNameSchema.safeParse(request.name);
  if (!name.success)
    throw new AssayError('CAMPAIGN_INPUT', `the workflow id "${request.name}" is not ${explain(name.error)}`);
  const parsed = campaignInputSchema.safeParse(request.input);
  if (!parsed.success)
    throw new AssayError('CAMPAIGN_INPUT', `the campaign's input is wrong: ${explain(parsed.error)}`);
  return parsed.data;
}

function resolve(
  context: OrchestratorContext,
  request: FreezeRequest,
  owner: string,
  input: CampaignInput,
  task: TaskDocument,
  attributes: FrozenCampaign['attributes'],
): FrozenCampaign {
  const { spec } = task;
  const lanes = input.submission === undefined ? lanesOf(spec, input) : [];
  const chosen = frozenModels(input, lanes, context);
  if (input.dollars !== undefined) requirePrices(allModels(chosen), context.prices);
  return frozenCampaignSchema.parse({
    name: request.name,
    owner,
    task: {
      name: spec.name,
      digest: task._id,
      title: spec.title,
      ...definedFields({ profile: spec.profile }),
    },
    pool: spec.resources.pool,
    slots: leaseSize(spec.resources),
    gpus: { prepare: preflightGpus(spec), evaluate: evaluationGpus(spec) },
    priority: input.priority,
    lanes,
    limits: limitsFrom(input),
    trainSeconds: input.trainSeconds ?? null,
    calibration: calibrationOf(spec, input),
    ...chosen,
    turns: input.turns,
    sessionTrials: input.sessionTrials,
    contextShare: input.contextShare,
    trainHeartbeatSeconds: input.trainHeartbeatSeconds,
    phaseSeconds: phaseSeconds(spec, input.trainSeconds ?? null),
    exclusive: exclusiveEvaluation(spec),
    attributes,
    isolation: demandedTier(spec, input.isolation),
    hostClasses: input.hostClasses,
    lineage: input.lineage,
    probes: input.probes,
    donors: input.donors,
    ...ruleNamed(input.rule),
    claim: claimFrom(spec, input),
    warmStart: input.warmStart,
    submission: input.submission ?? null,
    submissionRuns: input.submissionRuns ?? null,
    startedAt: context.clock.wall().toISOString(),
  });
}

/** A campaign of one trial claims nothing. */
function claimFrom(
  { name, replicate: { deterministic } }: Task,
  { submission, claim }: CampaignInput,
): FrozenCampaign['claim'] {
  const { runs = deterministic ? 1 : CLAIM_RUNS, confidence, at } = claim;
  const error = Number((1 - confidence).toPrecision(9));
  if (submission !== undefined || runs === 0) return { runs: 0, deterministic, confidence, error, at: [] };
  if (deterministic && runs > 1)
    throw new AssayError(
      'CAMPAIGN_INPUT',
      `claim.runs: the task "${name}" declares ${DETERMINISTIC}: each run of a recipe measures the same, so 1 run of the start and of the frontier is all there is; leave it out, or say 0 to claim nothing`,
    );
  return { runs, deterministic, confidence: confidenceOfEach(confidence, at.length + 1), error, at };
}

/**
 * Number of runs of the start. Rules that weigh noise need several to estimate it; one is enough if the task declares
 * that there is none.
 */
function calibrationOf(spec: Task, { rule, calibration, submission, submissionRuns }: CampaignInput): number {
  const { deterministic } = spec.replicate;
  const asked = submissionRuns ?? calibration;
  if (deterministic && (asked ?? 1) > 1)
    throw new AssayError(
      'CAMPAIGN_INPUT',
      `${submissionRuns === undefined ? 'calibration' : 'submissionRuns'}: the task "${spec.name}" declares ${DETERMINISTIC}: each run of a recipe measures the same, so 1 run of the start is all there is`,
    );
  const single = deterministic || rule === 'greedy' || submission !== undefined;
  const runs = asked ?? (single ? 1 : spec.calibration.replicates);
  if (!single && runs < 2)
    throw new AssayError(
      'CAMPAIGN_INPUT',
      `calibration: the rule "${rule}" needs at least 2 runs of the start to know the noise; "greedy" needs 1, and so does a task whose recipes measure the same under every seed and which declares ${DETERMINISTIC}`,
    );
  return runs;
}

function lanesOf(spec: Task, input: CampaignInput): Lane[] {
  const generic = genericLanes(input.roles);
  if (input.roles === 'single') return lanesOfRole('generalist', 1);
  if (generic !== null) return lanesOfRole('generic', generic);
  const asked = input.specialists ?? spec.specialists;
  return asked.flatMap((entry) => {
    const { role, lanes } = typeof entry === 'string' ? { role: entry, lanes: 1 } : entry;
    if (!spec.specialists.includes(role))
      throw new AssayError(
        'CAMPAIGN_INPUT',
        `specialists: the task "${spec.name}" has no specialist "${role}"; it has ${spec.specialists.join(', ')}`,
      );
    return lanesOfRole(role, lanes);
  });
}

const lanesOfRole = (role: string, lanes: number): Lane[] =>
  Array.from({ length: lanes }, (_, lane) => ({ role, lane: laneId(role, lane + 1) }));

/** Counts the elapsed time; a move of the frontier restarts the time without gain. */
async function count({ lineage }: OrchestratorContext, owner: string): Promise<CampaignDocument> {
  const frontier = await lineage.decisions.frontier(owner);
  return lineage.campaigns.tick(owner, frontier?.frontier.version ?? 0);
}

async function reportOn(context: OrchestratorContext, campaign: CampaignDocument): Promise<WatchReport> {
  const { lineage } = context;
  const { owner } = campaign;
  const [limits, totals, frontier, best] = await Promise.all([
    lineage.budgets.limits(owner),
    lineage.trials.totals(owner),
    lineage.decisions.frontier(owner),
    lineage.leaderboards.best(owner),
  ]);
  const counts = await lineage.leaderboards.counts(owner, totals.submitted);
  const standings = best
    .slice(0, 10)
    .flatMap(({ trial, role, status, score, hypothesis }) =>
      status === null || score === null
        ? []
        : [{ trial: trialLabel(trial), role, status, score, hypothesis }],
    );
  return {
    asOf: context.clock.wall().toISOString(),
    ...totals,
    ended: Object.values(counts).reduce((sum, count) => sum + count, 0),
    frontier: frontier === null ? null : trialLabel(frontier.trial),
    frontierVersion: frontier?.frontier.version ?? 0,
    bestScore: frontier?.inputs.score ?? null,
    best: standings,
    trialsLimit: limits.trials,
    end: isUnended(campaign.control) ? await endOf(lineage, limits, campaign, totals) : null,
    held: heldBy(campaign),
    goesOn: await leavesRoom(lineage, campaign),
  };
}

function heldBy({ control, controlReason }: CampaignDocument): WatchReport['held'] {
  return control === 'paused' || control === 'blocked'
    ? { control, reason: controlReason ?? { kind: 'text', text: control } }
    : null;
}

/** The limit that ends the search. A trial of which nothing was trained may still give its place back. */
async function endOf(
  { trials }: Pick<Lineage, 'trials'>,
  limits: Limits,
  { owner, elapsed }: CampaignDocument,
  totals: { submitted: number; counted: number },
): Promise<Reason | null> {
  const { ranMs, sinceGainMs } = elapsed;
  const reached = reachedLimit(limits, { ...totals, ranMs, sinceGainMs });
  if (reached?.kind !== 'limit' || reached.limit !== 'trials') return reached;
  const counted = totals.counted - (await trials.unbegun(owner));
  return reachedLimit(limits, { ...totals, counted, ranMs, sinceGainMs });
}
