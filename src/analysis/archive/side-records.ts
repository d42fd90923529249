import { z } from 'zod';
import type { ArchiveRun, Contradiction } from './archive-run.js';
import { contradiction } from './contradictions.js';
import { parseDelimited } from './delimited.js';
import { byNumber, gainFrom, isValid, type TrajectoryTrial } from '../trajectory/trajectory.js';

/** Files beside a results table; null where there is none. */
export interface SideRecords {
  /** Text of best.json. */
  best: string | null;
  /** Text of tree.tsv. */
  tree: string | null;
  /** Names of the folders of kept code. */
  snapshots: readonly string[] | null;
}

/** Lists where the files beside a table contradict it. */
export function sideContradictions(run: ArchiveRun, side: SideRecords): Contradiction[] {
  return [
    ...(side.best === null ? [] : bestRecord(run, side.best)),
    ...(side.tree === null ? [] : treeRecord(run, side.tree)),
    ...(side.snapshots === null ? [] : snapshotFolders(run, side.snapshots)),
  ];
}

const bestSchema = z.looseObject({ exp_id: z.string() });

function bestRecord({ trajectory }: ArchiveRun, text: string): Contradiction[] {
  const named = bestSchema.safeParse(jsonOf(text)).data;
  if (named === undefined) return contradiction('best', 'best.json names no trial', ['best.json']);
  const { direction, name } = trajectory.metric;
  const best = trajectory.trials
    .filter((trial) => trial.ending === 'keep')
    .filter(isValid)
    .reduce<(TrajectoryTrial & { score: number }) | null>(
      (top, trial) => (top === null || gainFrom(direction, top.score, trial.score) > 0 ? trial : top),
      null,
    );
  const score = named[name];
  return [
    ...(best === null || best.id === named.exp_id
      ? []
      : contradiction('best', `best.json names ${named.exp_id}, the table's best is`, [best.id])),
    ...(best === null || score === undefined || score === best.score
      ? []
      : contradiction('best', `best.json has the score ${JSON.stringify(score)}, the table ${best.score}`, [
          best.id,
        ])),
  ];
}

/** Ancestors that a tree lists for a trial, which are not those of its parents in the table. */
function treeRecord({ trajectory }: ArchiveRun, text: string): Contradiction[] {
  const [header, ...rows] = parseDelimited(text).rows;
  const [id, path] = ['exp_id', 'path'].map((name) => header?.cells.indexOf(name) ?? -1);
  if (id === undefined || path === undefined || id < 0 || path < 0)
    return contradiction('tree', 'tree.tsv has no columns exp_id and path', ['tree.tsv']);
  const listed = new Map(rows.map(({ cells }) => [cells[id] ?? '', cells[path] ?? '']));
  const trials = byNumber(trajectory);
  const wrong = trajectory.trials.filter((trial) => listed.get(trial.id) !== pathOf(trial, trials));
  return contradiction(
    'tree',
    'trials whose ancestors in tree.tsv are not those that the table gives',
    wrong.map((trial) => trial.id),
  );
}

function pathOf(trial: TrajectoryTrial, trials: ReadonlyMap<number, TrajectoryTrial>): string {
  const ids = [trial.id];
  let parent = trial.parent;
  // a parent has a smaller number, so a table that goes in circles ends here too
  for (let below = trial.number; parent !== null && parent < below;) {
    const found = trials.get(parent);
    if (found === undefined) break;
    ids.unshift(found.id);
    below = found.number;
    parent = found.parent;
  }
  return ids.join('/');
}

function snapshotFolders({ trajectory, recorded }: ArchiveRun, folders: readonly string[]): Contradiction[] {
  const present = new Set(folders);
  const named = new Set<string>();
  const lost = trajectory.trials.filter(({ number }) => {
    const folder = recorded.get(number)?.snapshot.split('/').at(-1) ?? '';
    if (folder !== '') named.add(folder);
    return folder !== '' && !present.has(folder);
  });
  return [
    ...contradiction(
      'snapshot',
      'kept trials whose code is not in the archive',
      lost.map(({ id }) => id),
    ),
    ...contradiction(
      'snapshot',
      'folders of code that no row names',
      folders.filter((folder) => !named.has(folder)),
    ),
  ];
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
