import { ApplicationFailure } from '@temporalio/workflow';
import type { FrozenCampaign } from '../src/domain/campaign/campaign.js';
import type { CampaignRun } from './campaign-run.js';
import { unwrapActivityFailure } from './failures.js';
import type { PersonTrial } from './messages.js';
import { parkedActivities, submitActivities } from './proxies.js';
import { rerunTrial, runTrial } from './child-trial.js';

interface Placed<T> {
  answer: T;
  running: Promise<void> | null;
}

/** Trials that people submit or resume: child workflows that the campaign waits for. */
export class PersonTrials {
  private readonly begun: Promise<unknown>[] = [];

  constructor(private readonly run: CampaignRun) {}

  /** Submits a trial; answers when it has a number and its workflow is starting. */
  async submit(submission: unknown): Promise<PersonTrial> {
    const frozen = await this.run.whenFrozen();
    return this.place<PersonTrial>(async () => {
      const summary = 'submit a trial of a person';
      const submitted = await submitActivities.submitPerson.executeWithOptions({ summary }, [
        { owner: frozen.owner, submission },
      ]);
      return submitted.kind === 'refused'
        ? { answer: { number: null, refused: submitted.reason }, running: null }
        : {
            answer: { number: submitted.number, refused: null },
            running: runTrial({ frozen, role: 'person' }, submitted.number),
          };
    });
  }

  /** Resumes a parked trial; answers when its workflow is starting. */
  async resume(number: number): Promise<number> {
    const frozen = await this.run.whenFrozen();
    return this.place(async () => {
      const summary = `resume parked trial ${number}`;
      const { role } = await parkedActivities.resumeParked
        .executeWithOptions({ summary }, [{ owner: frozen.owner, number }])
        .catch((error: unknown) => {
          throw unwrapActivityFailure(error);
        });
      return { answer: number, running: rerunTrial({ frozen, role }, number) };
    });
  }

  /** Waits for all of them, including those accepted meanwhile. */
  async settled(): Promise<void> {
    for (let known = -1; known < this.begun.length;) {
      known = this.begun.length;
      await Promise.allSettled(this.begun);
    }
  }

  private async place<T>(work: () => Promise<Placed<T>>): Promise<T> {
    const placing = work();
    // from here on the campaign waits for it; its result is in the store
    this.begun.push(
      placing.then(
        ({ running }) => running?.catch(() => undefined),
        () => undefined,
      ),
    );
    return (await placing).answer;
  }
}

/**
 * Submits the only trial of a campaign; a refusal ends the campaign.
 * @throws ApplicationFailure RECIPE_INVALID
 */
export async function submitOnlyTrial(frozen: FrozenCampaign, people: PersonTrials): Promise<void> {
  const { refused } = await people.submit(frozen.submission);
  if (refused === null) return;
  throw ApplicationFailure.create({
    message: `refused: ${refused}`,
    type: 'RECIPE_INVALID',
    nonRetryable: true,
  });
}

/** Measures recipes of another campaign, so that the search begins from what holds of them here. */
export async function measureWarmStart(
  // an earlier assay has frozen none
  { warmStart = [] }: Partial<Pick<FrozenCampaign, 'warmStart'>>,
  people: PersonTrials,
): Promise<void> {
  if (warmStart.length === 0) return;
  // one that is refused, as the start's own code is, is left out
  for (const submission of warmStart) await people.submit(submission);
  await people.settled();
}
