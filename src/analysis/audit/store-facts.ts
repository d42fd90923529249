import type { OnHost } from '../../lineage/documents/on-host.js';
import type { StoredFile } from '../../lineage/documents/snapshot.js';
import type { Lineage } from '../../lineage/lineage.js';
import type { Malformed } from '../../lineage/audit-reader.js';
import type { Digested } from './digested.js';
import type { BlobFact, StoreFacts, TreeFact } from './facts.js';
import { keptFacts, type KeptOutputs } from './kept-files.js';

/**
 * Reads one campaign. What refers to something is read before it: of a running campaign nothing is missing then that
 * was there when it was referred to.
 * @throws AssayError CAMPAIGN_UNKNOWN
 */
export async function storeFacts(lineage: Lineage, name: string, digested: Digested): Promise<StoreFacts> {
  const { records } = lineage;
  const campaign = await lineage.campaigns.byName(name);
  const { owner } = campaign;
  const statuses = await records.statuses(owner);
  const sessions = await records.sessions(owner);
  const counter = await records.counter(owner);
  const trials = await records.trials(owner);
  const answers = await records.answers(owner);
  const turns = await records.turns(owner);
  const replies = await records.replies(owner);
  const claims = await records.claims(owner);
  const decisions = await records.decisions(owner);
  const replicates = await records.replicates(owner);
  const phases = await records.phases(owner);
  const money = await records.money(owner);
  const read = { campaign, trials, replicates, decisions, claims, phases, sessions, turns, replies, answers };
  const named = await namedFiles(lineage, read);
  const blobs: BlobFact[] = [];
  for (const [digest, what] of named.blobs) blobs.push({ what, digest, ...(await digested.of(digest)) });
  const kept = await keptFacts(named.kept, digested);
  return {
    ...read,
    statuses,
    counter,
    money,
    trees: named.trees,
    blobs: [...blobs, ...kept.blobs],
    malformedTrees: named.malformed,
    outOfReach: kept.outOfReach,
  };
}

interface Named {
  trees: TreeFact[];
  /** Documents that name them, by digest. */
  blobs: Map<string, string>;
  /** Outputs that are on hosts. */
  kept: KeptOutputs[];
  malformed: Malformed[];
}

/** Every tree and every file that a campaign refers to. */
async function namedFiles(
  { records }: Lineage,
  facts: Pick<StoreFacts, 'campaign' | 'trials' | 'replicates' | 'phases' | 'sessions' | 'answers'>,
): Promise<Named> {
  const { campaign, replicates, phases, sessions } = facts;
  const trees: TreeFact[] = [];
  const blobs = new Map<string, string>();
  const kept: KeptOutputs[] = [];
  const name = (digest: string, what: string): void => {
    if (!blobs.has(digest)) blobs.set(digest, what);
  };
  const nameFiles = (files: readonly StoredFile[], of: string): void => {
    for (const { path, sha256 } of files) name(sha256, `${of}: ${path}`);
  };
  const nameOutputs = (what: string, files: readonly StoredFile[], onHost: OnHost | null): void => {
    if (onHost === null) nameFiles(files, what);
    else kept.push({ what, files, onHost });
  };
  const { task } = campaign.frozen;
  const tasks = await records.tasks(task.digest);
  const [frozen] = tasks.documents;
  if (tasks.malformed.length === 0)
    trees.push({ what: `task ${task.name}`, digest: task.digest, files: frozen?.files ?? null });
  nameFiles(frozen?.files ?? [], `task ${task.name}`);
  for (const trial of facts.trials.documents) name(trial.diff, `diff of trial ${trial.number}`);
  for (const { _id, system, opening } of sessions.documents) {
    name(system, `system prompt of ${_id}`);
    name(opening, `opening of ${_id}`);
  }
  for (const { _id, trained, evaluated, checkpoint, processes = [] } of replicates.documents) {
    const artifact = trained?.artifact ?? null;
    const { cache } = trained ?? {};
    if (cache !== undefined) nameOutputs(`cache of ${_id}`, cache.files, cache.onHost);
    if (artifact !== null) trees.push({ what: `artifact of ${_id}`, ...artifact });
    // that of a missed gate is known by digest alone
    if (trained?.failure === null && artifact !== null)
      nameOutputs(`artifact of ${_id}`, artifact.files, artifact.onHost);
    if (checkpoint !== null) nameOutputs(`checkpoint of ${_id}`, checkpoint.files, checkpoint.onHost);
    for (const { process, files, onHost } of processes)
      nameOutputs(`process ${process} of ${_id}`, files, onHost);
    for (const { phase, log } of [...(trained?.runs ?? []), ...(evaluated?.runs ?? [])])
      name(log, `log of ${phase} of ${_id}`);
  }
  for (const { phase, replicate, run, files, onHost } of phases.documents) {
    nameOutputs(`${phase} of ${replicate}`, files ?? [], onHost);
    if (run !== null) name(run.log, `log of ${phase} of ${replicate}`);
  }
  const snapshots = await snapshotsOf(records, facts);
  for (const tree of snapshots.trees) nameFiles(tree.files ?? [], tree.what);
  return {
    trees: [...trees, ...snapshots.trees],
    blobs,
    kept,
    malformed: [...tasks.malformed, ...snapshots.malformed],
  };
}

async function snapshotsOf(
  records: Lineage['records'],
  { trials, sessions, answers }: Pick<StoreFacts, 'trials' | 'sessions' | 'answers'>,
): Promise<Pick<Named, 'trees' | 'malformed'>> {
  const wanted = new Map<string, string>();
  const want = (digest: string | null, what: string): void => {
    if (digest !== null && !wanted.has(digest)) wanted.set(digest, what);
  };
  for (const { number, snapshot, parentSnapshot } of trials.documents) {
    want(snapshot, `snapshot of trial ${number}`);
    want(parentSnapshot, `parent's snapshot of trial ${number}`);
  }
  for (const { _id, snapshot } of sessions.documents) want(snapshot, `start of ${_id}`);
  for (const { _id, snapshot } of answers.documents) want(snapshot, `workspace after ${_id}`);
  const { documents, malformed } = await records.snapshots([...wanted.keys()]);
  const files = new Map(documents.map((each) => [each._id, each.files]));
  const unread = new Set(malformed.map(({ id }) => id));
  const trees = [...wanted].filter(([digest]) => !unread.has(digest));
  return {
    malformed,
    trees: trees.map(([digest, what]) => ({ what, digest, files: files.get(digest) ?? null })),
  };
}
