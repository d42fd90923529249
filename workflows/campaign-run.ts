import { condition, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { WatchReport } from '../activities/campaign.js';
import type { FrozenCampaign } from '../src/domain/campaign/campaign.js';
import { textOfReason } from '../src/domain/campaign/reasons.js';
import {
  PREPARING,
  present,
  transition,
  type CampaignCommand,
  type CampaignEvent,
  type CampaignProgress,
} from '../src/domain/campaign/transitions.js';
import { searchAttributesOf } from './attributes.js';
import type { CampaignSummary, LeaderboardRow } from './messages.js';

/**
 * State of a campaign in its workflow: its progress, the commands still to carry out, and the last report of the
 * watch.
 */
export class CampaignRun {
  progress: CampaignProgress = PREPARING;
  report: WatchReport | null = null;
  startScore: number | null = null;
  /** Commands not yet carried out, in order. */
  readonly pending: CampaignCommand[] = [];
  private frozen: FrozenCampaign | null = null;
  private failure: unknown = null;

  constructor(private readonly name: string) {}

  /** Applies an event at once; its commands are carried out later, in order. */
  apply(event: CampaignEvent): void {
    const { state, commands } = transition(this.progress, event);
    this.progress = state;
    this.pending.push(...commands);
  }

  open(frozen: FrozenCampaign): void {
    this.frozen = frozen;
    this.apply({ kind: 'frozen' });
  }

  /** Fails every wait for the frozen campaign. */
  failToOpen(failure: unknown): void {
    this.failure = failure;
  }

  /** @throws the error that the freeze failed with */
  async whenFrozen(): Promise<FrozenCampaign> {
    await condition(() => this.frozen !== null || this.failure !== null);
    if (this.frozen === null) throw this.failure;
    return this.frozen;
  }

  summary(): CampaignSummary {
    const { report, startScore } = this;
    const { state, reason } = present(this.progress);
    return {
      campaign: this.name,
      state,
      reason: textOfReason(reason),
      asOf: report?.asOf ?? null,
      submitted: report?.submitted ?? 0,
      counted: report?.counted ?? 0,
      ended: report?.ended ?? 0,
      frontier: report?.frontier ?? null,
      bestScore: report?.bestScore ?? startScore,
      startScore,
    };
  }

  leaderboard(): LeaderboardRow[] {
    return this.report?.best ?? [];
  }

  /** Shows the current state on the server. */
  show(): void {
    const { frozen, report } = this;
    if (frozen === null) return;
    const { state, reason, startScore, bestScore, frontier, counted, ended } = this.summary();
    const attributes = searchAttributesOf(frozen, { status: state, score: bestScore });
    if (attributes.length > 0) upsertSearchAttributes(attributes);
    setCurrentDetails(
      [
        `### ${frozen.task.title}`,
        `**${state}**${reason === null ? '' : ` (${reason})`}`,
        `start ${startScore ?? 'not measured'}, best ${bestScore ?? 'none'} (${frontier ?? 'the start'})`,
        `${counted} of ${report?.trialsLimit ?? frozen.limits.trials} trials, ${ended} ended`,
        'What is adopted is not claimed: the claim is measured on fresh seeds, at the end.',
      ].join('\n\n'),
    );
  }
}
