import type { LedgerDocument } from '../../lineage/documents/ledger.js';
import { Finder, type CampaignFacts, type Checked } from './facts.js';

/** No published result carries an old fence: of an attempt that had been overtaken, or that there never was. */
export function checkFences({ store }: CampaignFacts): Checked {
  const { campaign, replicates, money } = store;
  const finder = new Finder(campaign._id);
  const rows = rowsByClaim(money.rows.documents);
  let results = 0;
  for (const { _id: key, fence, trained, evaluated, checkpoint, processes = [] } of replicates.documents) {
    const kept = processes.map((one) => [`process ${one.process}`, one] as const);
    for (const [what, result] of [...Object.entries({ trained, evaluated, checkpoint }), ...kept]) {
      if (result === null) continue;
      results += 1;
      if (result.fence < 1 || result.fence > fence)
        finder.say(key, `${what} carries fence ${result.fence}, and the claims go from 1 to ${fence}`);
    }
    if (trained !== null && evaluated !== null && evaluated.fence < trained.fence)
      finder.say(key, `it was evaluated under fence ${evaluated.fence} and trained under ${trained.fence}`);
    for (const { of, what, certainty } of rows.get(key) ?? []) {
      if (of > fence) finder.say(key, `claim ${of} has spent something, and there are ${fence} claims`);
      else if (trained !== null && what === 'train' && certainty !== 'unpaid' && of > trained.fence)
        finder.say(key, `claim ${of} was training when the result of claim ${trained.fence} was published`);
    }
  }
  return {
    examined: { measurements: replicates.documents.length, results },
    notExamined: [],
    violations: finder.violations,
  };
}

type Claimed = Pick<LedgerDocument, 'what' | 'certainty'> & { of: number };

/** Rows whose key is `REPLICATE/FENCE`. */
function rowsByClaim(rows: readonly LedgerDocument[]): Map<string, Claimed[]> {
  const found = new Map<string, Claimed[]>();
  for (const { _id, what, certainty } of rows) {
    const [, key, of] = /^(.+)\/(\d+)$/.exec(_id) ?? [];
    if (key === undefined || what === 'model' || what === 'saved') continue;
    found.set(key, [...(found.get(key) ?? []), { what, certainty, of: Number(of) }]);
  }
  return found;
}
