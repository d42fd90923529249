import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { benchOf } from '../../activities/workspace.js';
import type { TierName } from '../../src/domain/task/isolation.js';
import { openLineage, type Lineage } from '../../src/lineage/lineage.js';
import type { HostContext } from '../../src/measure/host-context.js';
import { openSandbox } from '../../src/sandbox/sandbox.js';
import { TaskHost } from '../../src/tasks/host.js';
import { pushTask } from '../bad-input/test-task.js';
import { conversing, type Conversing } from './conversing.js';
import { frozenOf } from './frozen-campaign.js';
import { hostContext } from './host-context.js';

/** Text of the training data, and of what is held out. */
export const SEEN = 'seen by training';
export const HELD_OUT = 'held-out-label';

const PREPARE = `
import hashlib, json, os
root, files = os.environ["ASSAY_OUTPUT"], []
for path, text in (("train/text.txt", "${SEEN}"), ("search/labels.txt", "${HELD_OUT}"), ("claim/labels.txt", "${HELD_OUT}")):
    os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
    with open(os.path.join(root, path), "w") as file: file.write(text)
    files.append({"path": path, "bytes": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest()})
with open(os.path.join(root, "manifest.json"), "w") as file: json.dump({"schema": "assay.data/1", "files": files}, file)
`;

const DATA = 'scoring: direct\ndata: { prepare: prepare.py, train: train/, search: search/, claim: claim/ }';
/** Seconds that the profile of its task may take. */
export const PROFILE_S = 3;
const profileOf = (run: string): string => `phases:\n  profile: { run: '${run}', timeout_s: ${PROFILE_S} }`;

/** A host of this tier, and a campaign whose sessions have a workbench. */
export interface BenchLab {
  lineage: Lineage;
  context: HostContext;
  owner: string;
  folder: string;
  /** Opens a session on the start. */
  talk: () => Promise<Conversing>;
  stop: () => Promise<void>;
}

/** Opens one with what a test says of the frozen campaign. */
export async function openBenchLab(
  tier: TierName,
  { profile = 'echo slowest: matmul', ...more }: Record<string, unknown> = {},
): Promise<BenchLab> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-bench-'));
  // a sandbox of another user reads it
  await chmod(folder, 0o755);
  const lineage = await openLineage({ url: inject('storeUrl'), database: `bench_${process.pid}` });
  const name = `bench-${randomUUID().slice(0, 8)}`;
  const change = (yaml: string): string =>
    yaml
      .replace('scoring: direct', DATA)
      .replace('phases:', typeof profile === 'string' ? profileOf(profile) : 'phases:')
      .replaceAll(/(editable|counted): \['train.py'\]/g, "$1: ['train.py', 'more/**']");
  await pushTask({ lineage }, name, change, { 'prepare.py': PREPARE, 'recipe/README.md': 'not editable\n' });
  const task = await lineage.tasks.find(name);
  if (task === null) throw new Error('the task was not stored');
  const owner = `test/${randomUUID()}`;
  const settings = {
    task: { name, digest: task._id, title: name },
    workbench: 'isolated',
    probes: 2,
    ...more,
  };
  const { frozen } = await lineage.campaigns.freeze(frozenOf(name, owner, settings));
  await lineage.budgets.create(owner, frozen.limits);
  await lineage.campaigns.setState(owner, 'running', null);
  const files = [
    { path: 'README.md', bytes: Buffer.from('not editable\n') },
    { path: 'train.py', bytes: Buffer.from('print("trained")\n') },
  ];
  await lineage.trials.insertStart({
    ...{ owner, campaign: name, submitKey: `${owner}/start`, snapshot: await lineage.blobs.putTree(files) },
    ...{ parent: null, parentSnapshot: null, diff: await lineage.blobs.put(''), changes: '' },
    ...{ hypothesis: 'the start', expectedDelta: null, domain: null, edit: null, similar: null },
    ...{ twinScope: null, role: 'start', lane: 'start-1', session: null, turn: null },
  });
  const sandbox = await openSandbox({ tier });
  const context = {
    ...(await hostContext(lineage, { folder })),
    sandbox,
    tasks: new TaskHost(folder, folder, sandbox),
  };
  return {
    lineage,
    context,
    owner,
    folder,
    talk: () => conversing({ lineage, owner }, { bench: benchOf(context) }),
    stop: async () => {
      await lineage.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
