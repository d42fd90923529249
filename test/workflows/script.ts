import { EDIT_TOOL } from '../../src/model/tools.js';
import { use, type ScriptStep } from '../model/scripted-server.js';

/** A turn that sets X (and SLEEP) of the tiny recipe, from the values it has now. */
export function turnKnob(from: string, to: string): ScriptStep {
  const edit = { command: 'str_replace', path: 'train.py', old_str: from, new_str: to };
  return { blocks: [use(EDIT_TOOL, edit)] };
}

export const submit = (hypothesis: string): ScriptStep => ({
  blocks: [use('submit_trial', { hypothesis, expected_delta: -1 })],
});

export const finish: ScriptStep = { blocks: [use('finish', { note: 'done' })] };
