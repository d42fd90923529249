import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Worker } from '@temporalio/worker';
import { expect, it } from 'vitest';
import { installLogger } from '../../workers/logging.js';
import { workflowBundle } from '../../workers/workflow-bundle.js';
import { RECORDED } from './replaying.js';

const FOLDER = RECORDED;
installLogger();
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));

it('has histories of every workflow, recorded by an earlier commit', () => {
  for (const kind of ['campaign', 'specialist', 'trial'])
    expect(
      files.some((name) => name.startsWith(kind)),
      `test/replay/${kind}*.json`,
    ).toBe(true);
});

it.each(files)('replays the recorded history %s against the present workflows', async (name) => {
  const history: unknown = JSON.parse(readFileSync(join(FOLDER, name), 'utf8'));
  await Worker.runReplayHistory({ workflowBundle: await workflowBundle(), replayName: name }, history);
});
