import type { CampaignEvent } from '../../analysis/read-models/events.js';
import type { Snapshot } from '../../analysis/read-models/snapshot.js';
import type { StallReport } from '../../analysis/stall/types.js';
import { isEnded } from '../../domain/statuses.js';

/** The server is asked only when nothing has moved for this long, and then at most this often. */
const QUIET_MS = 5000;
/** Equal reasons are told again after this time if something has moved in between. */
const TOLD_MS = 300_000;

const NOTHING: StallReport = { reasons: [], moves: null };

/** Finds out why a followed campaign does not move, without making those who look at it wait. */
export class StallWatcher {
  /** The reasons that hold now, as far as it is known. */
  report: StallReport = NOTHING;
  private found: StallReport | null = null;
  private looking = false;
  private quietSince = performance.now();
  private lookedAt = 0;
  private told = { ids: '', at: 0, movedSince: false };

  /**
   * Takes a snapshot, whether something has happened since the one before, and how to find out why nothing does;
   * returns what there is to tell.
   */
  after(
    { state }: Pick<Snapshot, 'state'>,
    moved: boolean,
    examine: () => Promise<StallReport>,
  ): CampaignEvent[] {
    const now = performance.now();
    if (moved) {
      this.quietSince = now;
      this.report = NOTHING;
      this.found = null;
      this.told.movedSince = true;
    }
    if (isEnded(state)) return [];
    const { found } = this;
    if (found !== null) {
      this.found = null;
      this.report = found;
      return this.tell(found, now);
    }
    if (!this.looking && now - this.quietSince >= QUIET_MS && now - this.lookedAt >= QUIET_MS)
      this.look(examine);
    return [];
  }

  private look(examine: () => Promise<StallReport>): void {
    const asked = this.quietSince;
    this.looking = true;
    examine()
      .then((found) => {
        if (this.quietSince === asked) this.found = found;
      })
      .catch(() => undefined)
      .finally(() => {
        this.looking = false;
        this.lookedAt = performance.now();
      });
  }

  private tell({ reasons, moves }: StallReport, now: number): CampaignEvent[] {
    const ids = reasons.map(({ id }) => id).join('\n');
    const stale = this.told.movedSince && now - this.told.at > TOLD_MS && reasons.length > 0;
    if (ids === this.told.ids && !stale) return [];
    this.told = { ids, at: now, movedSince: false };
    return [{ event: 'stall', moves, reasons }];
  }
}
