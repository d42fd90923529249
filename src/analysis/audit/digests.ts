import { treeDigest } from '../../domain/digest.js';
import { Finder, type CampaignFacts, type Checked } from './facts.js';

/** Each snapshot, artifact, evaluator and frozen file matches its digest. */
export function checkDigests({ store }: CampaignFacts): Checked {
  const { campaign, trees, blobs, malformedTrees, outOfReach } = store;
  const finder = new Finder(campaign._id);
  finder.malformed({ malformed: malformedTrees });
  for (const { what, digest, files } of trees)
    if (files === null) finder.say(what, `its files (${digest}) are not in the store`);
    else if (treeDigest(files) !== digest) finder.say(what, `its files do not have the digest ${digest}`);
  for (const { what, digest, wrong } of blobs) if (wrong !== null) finder.say(what, `${digest}: ${wrong}`);
  const first = blobs.filter((blob) => blob.first);
  return {
    examined: {
      trees: trees.length,
      files: first.length,
      bytes: first.reduce((sum, { bytes }) => sum + bytes, 0),
    },
    notExamined: outOfReach,
    violations: finder.violations,
  };
}
