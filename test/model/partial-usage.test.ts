import { expect, it } from 'vitest';
import { PartialUsage } from '../../src/model/partial-usage.js';

const start = {
  type: 'message_start',
  message: { usage: { input_tokens: 100, output_tokens: 1, cache_read_input_tokens: 50 } },
};
const block = (type: string): object => ({ type: 'content_block_start', index: 0, content_block: { type } });
const text = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'größer' } };
const json = {
  type: 'content_block_delta',
  index: 0,
  delta: { type: 'input_json_delta', partial_json: '{"a"' },
};
const end = { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 3 } };

it.each<[string, unknown[], number | null]>([
  ['nothing', [], null],
  ['events without a beginning', [text, end, 'noise', null], null],
  ['a beginning that counts nothing', [{ ...start, message: { usage: {} } }, text], null],
  ['a beginning', [start], 1],
  ['text, a token for each byte', [start, block('text'), text, text], 16],
  ['the input of a call', [start, block('tool_use'), json], 4],
  ['thinking, all that was asked for', [start, block('thinking'), block('text'), text], 900],
  ['more text than was asked for', [start, block('text'), ...Array<unknown>(200).fill(text)], 900],
  ['an end, as it was counted', [start, block('thinking'), text, end], 3],
])('charges a reply that broke off after %s', (_, events, output) => {
  const partial = new PartialUsage(900, '5m');
  for (const event of events) partial.see(event);
  expect(partial.most()?.outputTokens ?? null).toBe(output);
  if (output !== null) expect(partial.most()).toMatchObject({ inputTokens: 100, cacheReadTokens: 50 });
});
