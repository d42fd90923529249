import { MOST_WARM, type Submission } from '../../domain/campaign/campaign.js';
import { AssayError } from '../../domain/errors.js';
import { START, trialLabel, trialWorkflowId } from '../../domain/keys.js';
import type { Lineage } from '../../lineage/lineage.js';

/** Characters of a hypothesis. */
const MOST_CHARACTERS = 4000;

/**
 * Reads what `--warm-start NAME` or `NAME:N` asks for: the newest N steps of that campaign's frontier, the oldest of
 * them first. They are proposals like others: nothing that was measured there is believed.
 * @throws AssayError USAGE, CAMPAIGN_UNKNOWN
 */
export async function warmStartOf(lineage: Lineage, asked: string): Promise<Submission[]> {
  const [, name = '', steps = '1'] = /^(.*?)(?::(\d+))?$/.exec(asked) ?? [];
  const count = Number(steps);
  if (name === '' || count < 1 || count > MOST_WARM)
    throw new AssayError(
      'USAGE',
      `--warm-start is NAME, or NAME:N with N from 1 to ${MOST_WARM}, not "${asked}"`,
    );
  const { owner } = await lineage.campaigns.byName(name);
  const frontier = await lineage.decisions.frontier(owner);
  const adopted = frontier === null ? [] : await lineage.decisions.chain(frontier, count);
  const numbers = adopted.map(({ trial }) => trial).filter((trial) => trial !== START);
  if (numbers.length === 0)
    throw new AssayError('USAGE', `campaign "${name}" has adopted nothing that another one could begin from`);
  const trials = await lineage.trials.many(owner, numbers);
  return trials.map(({ number, snapshot, hypothesis }) => ({
    snapshot,
    hypothesis: `Warm start, ${trialWorkflowId(name, number)}: ${hypothesis}`.slice(0, MOST_CHARACTERS),
    expectedDelta: null,
    domain: null,
    requestId: `warm-${trialLabel(number)}`,
  }));
}
