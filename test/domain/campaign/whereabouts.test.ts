import { expect, it } from 'vitest';
import { findElsewhere, type TemporalNamespace } from '../../../src/domain/campaign/whereabouts.js';

const here = (id: string, runs: readonly string[] = []): TemporalNamespace => ({
  name: 'default',
  id: () => Promise.resolve(id),
  knowsRun: (workflowId, run) => Promise.resolve(runs.includes(`${workflowId}/${run}`)),
});

it.each([
  ['the id of its namespace', 'default/r1', 'A', here('A'), null],
  ['a namespace of another name', 'other/r1', 'A', here('A'), { kind: 'namespace', name: 'other' }],
  [
    'a namespace of the same name on another server',
    'default/r1',
    'A',
    here('B', ['night/r1']),
    { kind: 'server', namespace: 'default' },
  ],
  ['no id, and a run that the server knows', 'default/r1', null, here('A', ['night/r1']), null],
  ['no id, and another run of its name', 'default/r1', null, here('A', ['night/r2']), { kind: 'unrecorded' }],
  [
    'no id, and another namespace',
    'a/b/r1',
    null,
    here('A', ['night/r1']),
    { kind: 'namespace', name: 'a/b' },
  ],
] as const)('a campaign with %s', async (_, owner, namespaceId, namespace, expected) => {
  expect(await findElsewhere({ _id: 'night', owner, namespaceId }, namespace)).toEqual(expected);
});
