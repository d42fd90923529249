import { expect, it } from 'vitest';
import { webUses } from '../../../src/domain/session/web-uses.js';

const use = (id: string, name: string, input: object) => ({ type: 'server_tool_use', id, name, input });
const url = (address: string) => ({ type: 'web_search_result', url: address, title: 't' });

it('lists what was sought and fetched outside with the addresses that it brought', () => {
  const uses = webUses({
    content: [
      { type: 'text', text: 'let me look' },
      use('a', 'web_search', { query: 'muon optimizer' }),
      {
        ...{ type: 'web_search_tool_result', tool_use_id: 'a' },
        content: [url('https://arxiv.org/1'), url('https://arxiv.org/2')],
      },
      use('b', 'web_fetch', { url: 'https://arxiv.org/1' }),
      {
        ...{ type: 'web_fetch_tool_result', tool_use_id: 'b' },
        content: { type: 'web_fetch_result', url: 'https://arxiv.org/1', content: {} },
      },
      use('c', 'web_search', { query: 'x' }),
      {
        ...{ type: 'web_search_tool_result', tool_use_id: 'c' },
        content: { type: 'web_search_tool_result_error', error_code: 'max_uses_exceeded' },
      },
      use('d', 'code_execution', { code: '1' }),
      use('e', 'web_search', { query: 7 }),
    ],
  });
  expect(uses).toEqual([
    {
      tool: 'web_search',
      asked: 'muon optimizer',
      addresses: ['https://arxiv.org/1', 'https://arxiv.org/2'],
    },
    { tool: 'web_fetch', asked: 'https://arxiv.org/1', addresses: ['https://arxiv.org/1'] },
    { tool: 'web_search', asked: 'x', addresses: [] },
    { tool: 'web_search', asked: '', addresses: [] },
  ]);
});
