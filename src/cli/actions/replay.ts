import type { Replayed } from '../../../workers/replaying.js';
import { historyFromFile, historyFromServer, workflowIdOf } from '../use-cases/history.js';
import { onStdout } from '../render/paint.js';
import { clean } from '../render/text.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

interface Flags extends CommonFlags {
  run?: string;
}

const FAILED = 1;

export async function run(workflow: string, flags: Flags): Promise<void> {
  const history = workflow.endsWith('.json')
    ? await historyFromFile(workflow)
    : await historyFromServer(workflowIdOf(workflow), flags.run);
  const { replay } = await import('../../../workers/replaying.js');
  const replayed = await replay(history);
  if (flags.json === true) printJson(asJson(replayed));
  else show(replayed);
  if (replayed.parted !== null) process.exitCode = FAILED;
}

function asJson({ workflowType, workflowId, events, parted }: Replayed): unknown {
  return { schema: 'assay.replay/1', workflowType, workflowId, events, replays: parted === null, parted };
}

function show({ events, parted, workflowType, workflowId }: Replayed): void {
  say(`${workflowType} ${workflowId ?? ''}`.trimEnd());
  if (parted === null) {
    print(`${onStdout('green', 'replays')}: ${events} events`);
    return;
  }
  const { id, type, about } = parted.event;
  const where = `event ${id} of ${events}, ${type}${about === null ? '' : ` ${about}`}`;
  print(`${onStdout('red', 'parts')} at ${clean(where)}`);
  print(clean(parted.message));
  say(ADVICE[parted.kind]);
}

const ADVICE = {
  nondeterminism: 'the workflows have changed since; docs/debugging.md shows what to do',
  failure: 'the workflow code failed; docs/debugging.md shows how to step through it',
  history: 'this history is damaged: fetch it again',
};
