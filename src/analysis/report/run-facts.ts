import type { ArchiveRun, Contradiction } from '../archive/archive-run.js';
import { findPlateau, type Plateau } from '../noise/plateau.js';
import { estimateNoise, type NoiseEstimate } from '../noise/noise-estimate.js';
import { keptSteps, selectionFigures, type KeptStep, type SelectionFigures } from '../noise/kept-steps.js';
import { remeasured, type Remeasured } from '../noise/remeasured.js';
import { clusterInOrder } from '../../domain/text/clusters.js';
import { clusterFigures, type ClusterFigures } from '../proposals/clusters.js';
import { calibration, expectedGains, type ExpectedGain } from '../proposals/expected-deltas.js';
import { nearDuplicates } from '../../domain/text/near-duplicates.js';
import { textVectors } from '../../domain/text/text-vectors.js';
import { acceleratorTime, type AcceleratorTime } from '../trajectory/accelerator-time.js';
import { allocation, type Allocation } from '../trajectory/allocation.js';
import { bestSoFar, improvement, type BestPoint, type Improvement } from '../trajectory/best-so-far.js';
import { domainAudit, type DomainAudit } from '../trajectory/domain-audit.js';
import { editKinds, type EditKindCounts } from '../trajectory/edit-kinds.js';
import { causes, outcomes, type Cause, type Outcomes } from '../trajectory/outcomes.js';
import { parentEdges, type ParentEdges } from '../trajectory/parent-edges.js';
import {
  throughput,
  throughputWindows,
  type Throughput,
  type ThroughputWindow,
} from '../trajectory/throughput.js';
import { toolsUsed, type ToolUse } from '../trajectory/tools-used.js';
import type { Trajectory } from '../trajectory/trajectory.js';
import { trialTime, type TimePart } from '../trajectory/trial-time.js';
import { gainCosts, type GainCosts } from '../trajectory/unit-costs.js';

/** Trials of the windows that runs of different length are compared over. */
export const WINDOW = 200;
const STEPS_OF_RATE = 20;
const LEAST_WINDOW = 10;

export interface ProposalFigures extends ClusterFigures {
  /** Proposals after the first that nearly repeat an earlier one, and their share. */
  nearDuplicates: number;
  nearDuplicateRate: number;
}

/** Everything that is found in one search. */
export interface RunFacts {
  outcomes: Outcomes;
  causes: Cause[];
  best: BestPoint[];
  improvement: Improvement | null;
  throughput: { window: Throughput | null; all: Throughput | null; windows: ThroughputWindow[] };
  times: TimePart[];
  accelerators: AcceleratorTime | null;
  allocation: Allocation;
  architecture: DomainAudit;
  edits: EditKindCounts[];
  edges: { window: ParentEdges; all: ParentEdges };
  proposals: { window: ProposalFigures; all: ProposalFigures };
  gains: ExpectedGain[];
  calibration: ReturnType<typeof calibration>;
  costs: GainCosts;
  tools: ToolUse[];
  plateau: Plateau | null;
  noise: NoiseEstimate | null;
  steps: KeptStep[];
  selection: SelectionFigures | null;
  remeasured: Remeasured | null;
}

/** An archive's own record beside what is found in it. */
export interface ArchiveFacts extends Pick<ArchiveRun, 'rows' | 'repairs' | 'refused'> {
  contradictions: Contradiction[];
}

/** Runs every analysis over one search. */
export function runFacts(trajectory: Trajectory): RunFacts {
  const { trials } = trajectory;
  const plateau = findPlateau(trajectory);
  const noise = estimateNoise(trajectory, plateau);
  const gains = expectedGains(trajectory);
  const texts = trials.map(({ hypothesis }) => hypothesis);
  return {
    outcomes: outcomes(trials),
    causes: causes(trials),
    best: bestSoFar(trajectory),
    improvement: improvement(trajectory),
    throughput: {
      window: throughput(trials, WINDOW),
      all: throughput(trials),
      windows: throughputWindows(trials, Math.max(LEAST_WINDOW, Math.ceil(trials.length / STEPS_OF_RATE))),
    },
    times: trialTime(trials),
    accelerators: acceleratorTime(trials),
    allocation: allocation(trials),
    architecture: domainAudit(trials),
    edits: editKinds(trials),
    edges: { window: parentEdges(trials, WINDOW), all: parentEdges(trials) },
    proposals: { window: proposalFigures(texts.slice(0, WINDOW)), all: proposalFigures(texts) },
    gains,
    calibration: calibration(gains),
    costs: gainCosts(trajectory),
    tools: toolsUsed(trajectory.toolCalls),
    ...{ plateau, noise },
    steps: keptSteps(trajectory, noise?.sd ?? null),
    selection: noise === null ? null : selectionFigures(trajectory, noise.sd),
    remeasured: remeasured(trajectory),
  };
}

/** Clusters of hypotheses, and how many of them nearly repeat an earlier one. */
export function proposalFigures(hypotheses: readonly string[]): ProposalFigures {
  const vocabulary = textVectors(hypotheses);
  const repeats = nearDuplicates(vocabulary).filter((earlier) => earlier !== null).length;
  return {
    ...clusterFigures(clusterInOrder(vocabulary)),
    nearDuplicates: repeats,
    nearDuplicateRate: hypotheses.length < 2 ? 0 : repeats / (hypotheses.length - 1),
  };
}
