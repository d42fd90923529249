import { EDIT_TOOL } from '../../src/model/tools.js';
import { use, type ScriptStep } from '../model/scripted-server.js';

/** A call that sets X (and SLEEP) of the tiny recipe, from the values it has now. */
export function edit(from: string, to: string): ReturnType<typeof use> {
  return use(EDIT_TOOL, { command: 'str_replace', path: 'train.py', old_str: from, new_str: to });
}

/** A turn of one such call. */
export const turnKnob = (from: string, to: string): ScriptStep => ({ blocks: [edit(from, to)] });

export const submit = (hypothesis: string): ScriptStep => ({
  blocks: [use('submit_trial', { hypothesis, expected_delta: -1 })],
});

export const finish: ScriptStep = { blocks: [use('finish', { note: 'done' })] };
