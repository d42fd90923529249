import { describe, expect, it } from 'vitest';
import type { Reply } from '../../src/domain/session/conversation.js';
import { callsOf, parseCall, toolDefinitions } from '../../src/model/tools/tools.js';
import { EDIT_TOOL } from '../../src/model/tools/workspace.js';

const parse = (name: string, input: unknown): ReturnType<typeof parseCall> =>
  parseCall({ type: 'tool_use', id: 'x', name, input });

describe('tool calls', () => {
  it.each([
    [EDIT_TOOL, { command: 'view', path: 'a' }, { tool: 'edit', edit: { command: 'view', path: 'a' } }],
    [
      EDIT_TOOL,
      { command: 'view', path: 'a', view_range: '[1, -1]' },
      { tool: 'edit', edit: { command: 'view', path: 'a', range: [1, -1] } },
    ],
    [
      EDIT_TOOL,
      { command: 'str_replace', path: 'a', old_str: 'x' },
      { tool: 'edit', edit: { command: 'str_replace', path: 'a', old: 'x', new: '' } },
    ],
    [
      EDIT_TOOL,
      { command: 'insert', path: 'a', insert_line: 0, insert_text: 'x' },
      { tool: 'edit', edit: { command: 'insert', path: 'a', line: 0, text: 'x' } },
    ],
    ['search', { pattern: 'LR' }, { tool: 'edit', edit: { command: 'search', pattern: 'LR' } }],
    ['check', {}, { tool: 'check' }],
    ['lineage', { status: 'keep' }, { tool: 'lineage', role: null, status: 'keep', limit: 20 }],
    ['rebase', { trial: 0 }, { tool: 'rebase', trial: 0 }],
    [
      'submit_trial',
      { hypothesis: 'h', expected_delta: -0.1 },
      { tool: 'submit_trial', hypothesis: 'h', expectedDelta: -0.1, parent: null, waits: true },
    ],
    ['finish', {}, { tool: 'finish', note: '' }],
    ['note', { text: 'n' }, { tool: 'note', text: 'n' }],
    ['notes', {}, { tool: 'notes', role: null, limit: 10 }],
    ['log', { trial: 3 }, { tool: 'log', trial: 3, phase: null, lines: 60, pattern: null }],
    ['curve', { trials: [3, 3] }, { tool: 'curve', trials: [3] }],
    ['diff', { from: 3 }, { tool: 'diff', from: 3, to: null }],
    ['children', { trial: 3 }, { tool: 'children', trial: 3, limit: 20 }],
    ['knowledge', {}, { tool: 'knowledge', path: null, line: 1 }],
    ['merge', { trial: 3 }, { tool: 'merge', trial: 3 }],
    ['await_trials', { trials: [2, 1, 2] }, { tool: 'await_trials', trials: [2, 1], any: false }],
    ['withdraw', { trial: 3 }, { tool: 'withdraw', trial: 3 }],
  ])('%s %j is understood', (name, input, expected) => {
    expect(parse(name, input)).toEqual(expected);
  });

  it.each([
    ['bash', { command: 'ls' }, 'There is no tool "bash". Tools: str_replace_based_edit_tool'],
    [EDIT_TOOL, { command: 'undo_edit', path: 'a' }, 'command'],
    [EDIT_TOOL, { command: 'insert', path: 'a', insert_line: 0 }, 'text'],
    ['submit_trial', { hypothesis: '  ' }, 'say what changes and why'],
    ['submit_trial', { hypothesis: 'h', expected_delta: Infinity }, 'expected_delta'],
    ['rebase', { trial: '3' }, 'trial'],
    ['check', null, 'check'],
    ['note', { text: ' ' }, 'say what was learned'],
    ['log', { trial: 1, lines: 0 }, 'lines'],
    ['curve', { trials: [] }, 'trials'],
    ['merge', {}, 'trial'],
    ['await_trials', { trials: [] }, 'trials'],
    ['withdraw', { trial: -1 }, 'trial'],
  ])('%s %j is answered with what is wrong', (name, input, words) => {
    const call = parse(name, input);
    expect(call.tool).toBe('malformed');
    expect(call).toHaveProperty('error', expect.stringContaining(words));
  });

  it('are all offered to the model, and all offered tools are understood', () => {
    for (const { name } of toolDefinitions({ domains: {} }).filter((tool) => 'name' in tool))
      expect(JSON.stringify(parse(name, {}))).not.toContain('There is no tool');
  });

  it('ask what an edit is of where the task has domains, in the words of the task', () => {
    const submits = (domains: Record<string, string>): string =>
      JSON.stringify(
        toolDefinitions({ domains }).find((one) => 'name' in one && one.name === 'submit_trial'),
      );
    expect(submits({})).not.toContain('domain');
    expect(submits({ arch: 'the shape', opt: 'the optimiser' })).toContain(
      'arch: the shape; opt: the optimiser',
    );
    expect(parse('submit_trial', { hypothesis: 'h', domain: 'arch' })).toMatchObject({ domain: 'arch' });
  });

  it('are not carried out when the reply was cut off in the midst of them, nor beyond a hundred', () => {
    const use = (id: string): Reply['content'][number] => ({
      type: 'tool_use',
      id,
      name: 'check',
      input: {},
    });
    const usage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };
    const reply = { id: 'm', model: 'm', content: [use('a'), use('b')], stopReason: 'max_tokens', usage };
    expect(callsOf(reply).map(({ call }) => call.tool)).toEqual(['check', 'malformed']);
    expect(callsOf({ ...reply, stopReason: 'tool_use' }).map(({ call }) => call.tool)).toEqual([
      'check',
      'check',
    ]);
    const many = Array.from({ length: 101 }, (_, i) => use(`${i}`));
    const [hundredth, next] = callsOf({ ...reply, content: many, stopReason: 'tool_use' }).slice(-2);
    expect([hundredth?.call.tool, next?.call.tool]).toEqual(['check', 'malformed']);
  });
});
