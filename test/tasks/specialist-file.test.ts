import { expect, it } from 'vitest';
import { checkSpecialists, readSpecialist } from '../../src/tasks/specialist-file.js';

const PATH = 'specialists/opt.md';

it.each([
  ['# opt\nTune.', { neighbours: null, prompt: '# opt\nTune.' }],
  ['---\nneighbours: [arch]\n---\n# opt\n', { neighbours: ['arch'], prompt: '# opt\n' }],
  ['---\r\nneighbours: []\r\n---\r\nTune.', { neighbours: [], prompt: 'Tune.' }],
  ['---\n---\nTune.', { neighbours: null, prompt: 'Tune.' }],
  [
    'Tune.\n---\nneighbours: [arch]\n---\n',
    { neighbours: null, prompt: 'Tune.\n---\nneighbours: [arch]\n---\n' },
  ],
])('reads %j', (text, read) => {
  expect(readSpecialist(PATH, text)).toEqual(read);
});

it.each([
  ['---\nneighbours: arch\n---\n', /opt\.md.*neighbours/],
  ['---\nneighbors: [arch]\n---\n', /opt\.md.*neighbors/],
  ['---\nneighbours: [arch\n---\n', /opt\.md/],
  ['---\nneighbours: [size]\n---\n', /"size" is no neighbour of opt: there are arch/],
  ['---\nneighbours: [opt]\n---\n', /"opt" is no neighbour of opt/],
])('refuses a task with %j', (text, words) => {
  const files = [{ path: PATH, bytes: Buffer.from(text) }];
  expect(() => checkSpecialists({ specialists: ['opt', 'arch'] }, files)).toThrow(words);
});
