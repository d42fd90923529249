import { dirname } from 'node:path';
import { rm } from 'node:fs/promises';
import { vi } from 'vitest';
import { trialRecord, type TrialRecord } from '../../src/analysis/read-models/trial-record.js';
import { EDIT_TOOL } from '../../src/model/tools/workspace.js';
import { loadTask } from '../../src/tasks/load.js';
import { withSmallRecipe, type UpstreamTask } from '../fixtures/upstream/copy.js';
import { use, type ScriptedAnswer, type ScriptStep } from '../model/scripted-server.js';
import { withScript } from '../workflows/one-trial.js';
import { until, type World } from '../workflows/world.js';

/** Scripted trials on a task. */
interface Scripted {
  /** A Python that has numpy. */
  python: string;
  trials: number;
  script: ScriptStep[];
  /** Fresh runs of each side of a claim; 0, the default: none is made. */
  claimRuns?: number;
}

/** An answer that changes a text in a file of the recipe. */
export const change = (path: string, from: string, to: string): ScriptedAnswer => ({
  blocks: [use(EDIT_TOOL, { command: 'str_replace', path, old_str: from, new_str: to })],
});

/** Runs a campaign of scripted trials on the profile `ci` of a task with a small recipe, and returns their records. */
export async function upstreamCampaign(
  world: World,
  task: UpstreamTask,
  { python, trials, script, claimRuns = 0 }: Scripted,
): Promise<TrialRecord[]> {
  vi.stubEnv('ASSAY_PYTHON', python);
  const folder = await withSmallRecipe(task);
  try {
    const { spec, files } = await loadTask(folder, { profile: 'ci' });
    const { _id: digest } = await world.lineage.tasks.store(spec, files);
    await withScript(world, script, async () => {
      const specialists = [spec.specialists[0]];
      const input = { task: digest, model: 'scripted', specialists, trials, claim: { runs: claimRuns } };
      await world.start(task, input);
      const ended = async (): Promise<true | null> => {
        // it is stored once it is frozen
        if ((await world.lineage.campaigns.find(task)) === null) return null;
        const { state, reason } = await world.campaign(task);
        if (state === 'blocked') throw new Error(reason ?? state);
        return state === 'finished' || null;
      };
      await until(`${task} to finish`, ended, 800);
    });
  } finally {
    await rm(dirname(folder), { recursive: true, force: true });
  }
  return Promise.all(
    Array.from({ length: trials + 1 }, (_, number) => trialRecord(world.lineage, task, number)),
  );
}
