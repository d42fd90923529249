import {
  CancellationScope,
  currentUpdateInfo,
  setCurrentDetails,
  upsertSearchAttributes,
  uuid4,
} from '@temporalio/workflow';
import type { WatchReport } from '../activities/campaign.js';
import type { LimitsAnswer } from '../activities/limits.js';
import { endingFields, limitChangeSchema, type LimitChange } from '../src/domain/money/budget.js';
import type { FrozenCampaign } from '../src/domain/campaign/campaign.js';
import { explain } from '../src/domain/text/explain.js';
import { isEnded, type CampaignState, type RunControl } from '../src/domain/statuses.js';
import { searchAttributesOf } from './attributes.js';
import type { CampaignSummary, LeaderboardRow, StopMode } from './messages.js';
import { unwrapActivityFailure } from './failures.js';
import { campaignActivities } from './proxies.js';

/** What people have asked for and what the watch has seen; the lineage holds everything else. */
export class CampaignDesk {
  pauseWish: string | null = null;
  stopWish: StopMode | null = null;
  state: CampaignState = 'preparing';
  reason: string | null = null;
  /** Where the campaign goes back to after a pause. */
  stage: 'calibrating' | 'running' | 'claiming' = 'calibrating';
  /** Why the search ended, once its gain is being claimed. */
  searchEnd: string | null = null;
  report: WatchReport | null = null;
  startScore: number | null = null;
  /** Set once the search is being ended: lanes that have returned do not come back, whatever pauses the rest. */
  private ending = false;
  /** Set when everything has ended: whatever is accepted after that could be cut off. */
  closed = false;
  /** Counts what was asked, so that the loop wakes once for each. */
  asked = 0;

  constructor(readonly frozen: FrozenCampaign) {}

  pause(reason: string): void {
    this.pauseWish = reason;
    this.asked += 1;
  }

  resume(): void {
    this.pauseWish = null;
    this.asked += 1;
  }

  stop(mode: StopMode): void {
    this.stopWish = this.stopWish === 'now' ? 'now' : mode;
    this.asked += 1;
  }

  /** @throws Error with what is wrong with a change of limits, before it becomes part of the history */
  checkLimits(asked: unknown): LimitChange {
    const parsed = limitChangeSchema.safeParse(asked);
    if (!parsed.success) throw new Error(`the change of limits is wrong: ${explain(parsed.error)}`);
    const { state, reason } = this;
    if (isEnded(state) || this.closed) throw new Error(`the campaign has ended: ${reason ?? state}`);
    const [late] = this.ending ? endingFields(parsed.data) : [];
    if (late !== undefined)
      throw new Error(`the campaign is ending (${reason ?? state}): ${late} cannot be changed any more`);
    return parsed.data;
  }

  /** Stores a change of limits; the watch acts on it. */
  async changeLimits(asked: unknown): Promise<LimitsAnswer> {
    const id = currentUpdateInfo()?.id ?? uuid4();
    const change = this.checkLimits(asked);
    const answer = await CancellationScope.nonCancellable(() =>
      campaignActivities.changeLimits.executeWithOptions({ summary: 'change limits' }, [
        { owner: this.frozen.owner, id, change },
      ]),
    ).catch((error: unknown) => {
      throw unwrapActivityFailure(error);
    });
    if (this.report !== null) this.report.trialsLimit = answer.limits.trials ?? this.report.trialsLimit;
    if (answer.held !== null && this.state === 'paused' && this.pauseWish === null) this.reason = answer.held;
    this.show();
    return answer;
  }

  summary(): CampaignSummary {
    const { report } = this;
    return {
      campaign: this.frozen.name,
      state: this.state,
      reason: this.reason,
      asOf: report?.asOf ?? null,
      submitted: report?.submitted ?? 0,
      counted: report?.counted ?? 0,
      ended: report?.ended ?? 0,
      frontier: report?.frontier ?? null,
      bestScore: report?.bestScore ?? this.startScore,
      startScore: this.startScore,
    };
  }

  leaderboard(): LeaderboardRow[] {
    return this.report?.best ?? [];
  }

  /** Stores a state and shows it. */
  async enter(state: CampaignState, reason: string | null): Promise<void> {
    this.state = state;
    this.reason = reason;
    this.ending ||= state === 'draining' || state === 'claiming';
    await campaignActivities.setState.executeWithOptions({ summary: state }, [
      { owner: this.frozen.owner, state, reason },
    ]);
    this.show();
  }

  /** Says what work may do, before the state says so. */
  async control(control: RunControl, state: CampaignState, reason: string | null): Promise<void> {
    await campaignActivities.setControl.executeWithOptions({ summary: `control: ${control}` }, [
      { owner: this.frozen.owner, control, reason, stopped: this.stopWish !== null },
    ]);
    await this.enter(state, reason);
  }

  /** The budget that paused it leaves room again; a person's pause stays. */
  async goOn(): Promise<void> {
    if (this.pauseWish === null) await this.control('running', this.stage, null);
  }

  show(): void {
    const { frozen, state, reason, startScore } = this;
    const { bestScore, frontier, counted, ended } = this.summary();
    const attributes = searchAttributesOf(frozen, { status: state, score: bestScore });
    if (attributes.length > 0) upsertSearchAttributes(attributes);
    setCurrentDetails(
      [
        `### ${frozen.task.title}`,
        `**${state}**${reason === null ? '' : ` (${reason})`}`,
        `start ${startScore ?? 'not measured'}, best ${bestScore ?? 'none'} (${frontier ?? 'the start'})`,
        `${counted} of ${this.report?.trialsLimit ?? frozen.limits.trials} trials, ${ended} ended`,
        'What is adopted is not claimed: the claim is measured on fresh seeds, at the end.',
      ].join('\n\n'),
    );
  }
}
