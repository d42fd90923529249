import { START, trialLabel } from '../../domain/keys.js';
import { hasPlace } from '../../lineage/trials/trials.js';
import { replicateKey } from '../../lineage/trials/replicates.js';
import { Finder, type CampaignFacts, type Checked, type StoreFacts } from './facts.js';

/** A snapshot is measured once under one seed on one class of hosts, controls apart; numbers run without a gap. */
export function checkMeasurements({ store }: CampaignFacts): Checked {
  const { campaign, trials, replicates } = store;
  const finder = new Finder(campaign._id);
  finder.malformed(replicates);
  const measured = new Map<string, string>();
  for (const { _id: key, ...replicate } of replicates.documents) {
    if (key !== replicateKey(replicate)) finder.say(key, 'the measurement is stored under a key of another');
    if (replicate.purpose === 'control') continue;
    const { snapshot, seed, hostClass } = replicate;
    const identity = [snapshot, seed, hostClass].join('/');
    const other = measured.get(identity);
    if (other !== undefined)
      finder.say(key, `the same snapshot, seed and class of hosts are measured as ${other} as well`);
    measured.set(identity, key);
  }
  numbering(finder, store);
  return {
    examined: { measurements: replicates.documents.length, numbers: trials.documents.length },
    notExamined: [],
    violations: finder.violations,
  };
}

/** Numbers that were given, from the start on, and the places of those that count. */
function numbering(finder: Finder, { trials, sessions, counter }: StoreFacts): void {
  const numbers = new Set(trials.documents.map(({ number }) => number));
  const unread = new Set(trials.malformed.map(({ id }) => Number(/\/(\d+)$/.exec(id)?.[1])));
  const given = [
    ...numbers,
    ...unread,
    counter.number,
    ...sessions.documents.flatMap(({ submitted }) => submitted),
  ];
  const last = given.reduce((most, number) => Math.max(most, number), 0);
  if (last === 0) return;
  for (let number = START; number <= last; number += 1)
    if (!numbers.has(number) && !unread.has(number))
      finder.say(trialLabel(number), 'the number was given, and there is no such trial');
  if (unread.size > 0) return;
  const places = trials.documents
    .flatMap(({ slot }) => /\/c\/(\d+)$/.exec(slot)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
  places.forEach((place, at) => {
    if (place !== at + 1)
      finder.say(`place ${at + 1}`, `trials that count take the places ${at} and ${place}`);
  });
  const holders = new Map(trials.documents.map((trial) => [trial.number, trial]));
  for (const number of counter.returned) {
    const trial = holders.get(number);
    if (trial?.status == null || !hasPlace(trial.slot))
      finder.say(trialLabel(number), 'a place was given back for it, and it is no ended trial that held one');
  }
}
