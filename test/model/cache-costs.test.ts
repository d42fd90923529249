import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { dollarsOf, SESSION, usagesOf, type Marks } from './cache-costs.js';

const PAGE = fileURLToPath(new URL('../../docs/costs.md', import.meta.url));
const MODELS = ['claude-opus-5-5', 'claude-fable-5-2', 'claude-sonnet-5-5', 'claude-haiku-5-5'];
const MARKS: readonly (readonly [Marks, string])[] = [
  ['none', 'no marks'],
  ['5m', 'marks of five minutes'],
  ['1h', 'marks of an hour'],
];

it('keeping prompts for an hour is cheaper where trials take ten minutes', () => {
  for (const model of MODELS) {
    const [none, short, hour] = MARKS.map(([marks]) => dollarsOf(model, marks).prompts);
    expect(hour).toBeLessThan((short ?? 0) / 2);
    expect(short).toBeLessThan(none ?? 0);
  }
  const tokens = (marks: Marks): number =>
    usagesOf(marks).reduce(
      (sum, one) => sum + one.inputTokens + one.cacheReadTokens + one.cacheWriteTokens,
      0,
    );
  expect(new Set(MARKS.map(([marks]) => tokens(marks))).size).toBe(1);
});

it('docs/costs.md has these numbers (ASSAY_RECORD=1 writes it again)', async () => {
  if (process.env['ASSAY_RECORD'] !== undefined) await writeFile(PAGE, page());
  expect(await readFile(PAGE, 'utf8')).toBe(page());
});

function page(): string {
  const { prefix, opening, turns, trialEvery, reply, answers, trialMinutes, turnMinutes } = SESSION;
  const number = (value: number): string => value.toLocaleString('en-US');
  const rows = MODELS.map((model) => {
    const cells = MARKS.map(([marks]) => `$${dollarsOf(model, marks).prompts.toFixed(3)}`);
    return `| ${model} | ${cells.join(' | ')} | $${dollarsOf(model, 'none').replies.toFixed(3)} |`;
  });
  return [
    '# What sessions cost',
    '',
    'Numbers written by `ASSAY_RECORD=1 npx vitest run test/model/cache-costs.test.ts` from the price table of this release; not to be edited by hand.',
    '',
    '## The cache of the provider',
    '',
    'Every request marks four places up to which the provider may keep a prompt: after the tools with task, protocol and facts (equal for all roles of a campaign), after the role, and after the last two messages of ours. What is kept is read at a small part of its price. It is kept for five minutes, or for an hour, which costs 2 × instead of 1.25 × the input to write. A session asks for an hour where the median trial so far took its proposer more than four minutes, or before there is one where the task lets a training take longer than that; the choice is stored with the session, and dollar budgets reserve by it.',
    '',
    `The prompts of a session of ${turns / trialEvery} trials in ${turns} turns, at list prices: ${number(prefix)} tokens of tools, task and role, a view of ${number(opening)}, each turn a reply of ${number(reply)} and answers of ${number(answers)}. A trial of ten minutes of training keeps the model waiting for ${trialMinutes} minutes, any other turn for ${turnMinutes}. Computed, not measured at a provider.`,
    '',
    `| model | ${MARKS.map(([, words]) => `prompts, ${words}`).join(' | ')} | replies |`,
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
    '## Bounds',
    '',
    'A request reserves what it can cost at most before it is made: the tokens that the provider counted for the prompt and reply before it, a token for each byte of what was added since, and all the tokens that the reply may have. Only the first request of a session, and one to an endpoint that counts nothing, is bounded by a token for each byte of everything. What a broken reply costs is in [model-faults.md](model-faults.md).',
    '',
    '## Where the money went',
    '',
    '`assay costs CAMPAIGN` shows for each role and each model the requests, the share of prompt tokens that came from the cache, the adopted trials with the gain that is believed of them, and dollars for each unit of that gain. A gain is credited to the session that submitted the trial, though others may have prepared it.',
    '',
  ].join('\n');
}
