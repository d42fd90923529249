import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { campaignInputSchema } from '../../../src/domain/campaign/campaign.js';
import { workbenchOf, workbenchRefusal } from '../../../src/domain/session/workbench.js';
import { probeSeconds } from '../../../src/domain/task/probe-clock.js';
import { toolDefinitions, parseCall } from '../../../src/model/tools/tools.js';
import { toolOffer } from '../../../src/session/tool-offer.js';
import { parseTask } from '../../../src/tasks/load.js';
import { frozenOf } from '../../builders/frozen-campaign.js';
import { TINY } from '../../fixtures/tiny.js';

const yaml = readFileSync(join(TINY, 'task.yaml'), 'utf8');
const profiled = (profile: string): string => yaml.replace('phases:', `phases:\n  profile: ${profile}`);
const task = parseTask(profiled("{ run: 'x', timeout_s: 7 }"), 'task.yaml');

it.each([
  ['on', null, ['E'], 'on'],
  ['off', 'B', ['B'], 'off'],
  ['auto', null, [], 'isolated'],
  ['auto', null, ['E', 'B'], 'isolated'],
  ['auto', null, ['D', 'E'], 'off'],
  ['auto', 'E', ['E'], 'off'],
  ['auto', 'C', ['E'], 'isolated'],
] as const)('workbench %s, tier %s demanded, hosts of tiers %j: %s', (choice, demanded, tiers, frozen) => {
  expect(workbenchOf(choice, demanded, tiers)).toBe(frozen);
});

it.each([
  ['isolated', 'C', true],
  ['isolated', 'D', false],
  ['on', 'E', true],
  ['off', 'A', false],
] as const)('%s at tier %s: runs %s', (workbench, tier, runs) => {
  expect(workbenchRefusal(workbench, tier) === null).toBe(runs);
});

it.each([
  [{ workbench: 'off' }, []],
  [{ workbench: 'isolated', probes: 6 }, ['shell', 'probe', 'profile']],
  [{ workbench: 'on', probes: 0 }, ['shell']],
  [{ donors: ['arxiv.org'] }, ['web_search', 'web_fetch']],
])('a campaign with %j offers %j', (more, expected) => {
  const tools = toolDefinitions(toolOffer(task, frozenOf('c', 'o', more)));
  const bare = new Set(toolDefinitions({ domains: {} }).map((tool) => ('name' in tool ? tool.name : '')));
  expect(tools.flatMap((tool) => ('name' in tool && !bare.has(tool.name) ? [tool.name] : []))).toEqual(
    expected,
  );
});

it('web tools are limited to the domains that the campaign names', () => {
  const of = (donors: string[] | 'any') => toolDefinitions({ domains: {}, donors }).slice(-2);
  for (const tool of of(['arxiv.org'])) expect(tool).toHaveProperty('allowed_domains', ['arxiv.org']);
  for (const tool of of('any')) expect(tool).not.toHaveProperty('allowed_domains');
});

it.each([
  [{ workbench: 'yes' }, 'workbench'],
  [{ probes: -1 }, 'probes'],
  [{ probes: 1000 }, 'probes'],
  [{ donors: 'arxiv.org' }, 'donors'],
  [{ donors: ['https://arxiv.org'] }, 'donors'],
  [{ donors: ['localhost'] }, 'donors'],
  [{ donors: [''] }, 'donors'],
])('the input %j is refused', (more, field) => {
  const { error } = campaignInputSchema.safeParse({ task: 'tiny', ...more });
  expect(error?.issues.map(({ path }) => path[0])).toContain(field);
});

it.each([
  ['shell', {}],
  ['shell', { command: '  \n' }],
  ['shell', { command: 'a\0b' }],
  ['shell', { command: 'x'.repeat(20_001) }],
  ['shell', { command: 'ls', timeout_s: 301 }],
  ['shell', { command: 'ls', timeout_s: 0 }],
  ['shell', { command: 'ls', keep: 'yes' }],
  ['probe', { command: 'ls' }],
  ['probe', { command: 'ls', hypothesis: ' ' }],
  ['probe', { command: '', hypothesis: 'h' }],
  ['probe', { command: 'ls', hypothesis: 'h', timeout_s: -1 }],
  ['profile', { hypothesis: 3 }],
])('%s %j is answered with what is wrong', (name, input) => {
  expect(parseCall({ type: 'tool_use', id: 'x', name, input }).tool).toBe('malformed');
});

it.each<{ override?: number; command?: string; timeoutS?: number; seconds: number }>([
  { command: 'ls', seconds: 60 },
  { command: 'ls', timeoutS: 5, seconds: 5 },
  { command: 'ls', timeoutS: 1000, seconds: 60 },
  { command: 'ls', override: 10, seconds: 10 },
  { override: 10, seconds: 7 },
])('a probe of %j is ended then', ({ override = null, command = null, timeoutS = null, seconds }) => {
  expect(probeSeconds(task, override, { command, timeoutS })).toBe(seconds);
});

it.each([
  '{ run: x }',
  '{ run: "", timeout_s: 3 }',
  '{ run: x, timeout_s: -1 }',
  '{ run: x, timeout_s: 3, output: o/ }',
])('a profile %s is a fault of the task', (profile) => {
  expect(() => parseTask(profiled(profile), 'task.yaml')).toThrow(/profile/);
});
