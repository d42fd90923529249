import { EDIT_TOOL } from '../../src/model/tools.js';
import { use, type ScriptedAnswer, type ScriptStep } from '../model/scripted-server.js';

/** An answer that sets X (and SLEEP) of the tiny recipe, from the values it has now. */
export function edit(from: string, to: string): ScriptedAnswer {
  const change = { command: 'str_replace', path: 'train.py', old_str: from, new_str: to };
  return { blocks: [use(EDIT_TOOL, change)] };
}

/** A turn that does so. */
export const turnKnob = (from: string, to: string): ScriptStep => edit(from, to);

export const submit = (hypothesis: string): ScriptStep => ({
  blocks: [use('submit_trial', { hypothesis, expected_delta: -1 })],
});

export const finish: ScriptStep = { blocks: [use('finish', { note: 'done' })] };
