import { EDIT_TOOL } from '../../src/model/tools/workspace.js';
import { use, type ScriptedAnswer, type ScriptStep } from '../model/scripted-server.js';

/** An answer that replaces a part of a recipe's file, that of the tiny recipe where none is named. */
export function edit(from: string, to: string, path = 'train.py'): ScriptedAnswer {
  const change = { command: 'str_replace', path, old_str: from, new_str: to };
  return { blocks: [use(EDIT_TOOL, change)] };
}

/** An answer that adds a file. */
export const create = (path: string, text: string): ScriptedAnswer => ({
  blocks: [use(EDIT_TOOL, { command: 'create', path, file_text: text })],
});

/** A turn that does so. */
export const turnKnob = (from: string, to: string): ScriptStep => edit(from, to);

export const submit = (hypothesis: string): ScriptStep => ({
  blocks: [use('submit_trial', { hypothesis, expected_delta: -1 })],
});

export const finish: ScriptStep = { blocks: [use('finish', { note: 'done' })] };
