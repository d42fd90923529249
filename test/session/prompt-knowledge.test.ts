import { expect, it } from 'vitest';
import { promptKnowledge } from '../../src/session/prompt-knowledge.js';

const known = (files: Record<string, string>) =>
  promptKnowledge(
    { blobs: { text: (digest) => Promise.resolve(files[digest] ?? '') } },
    { files: Object.entries(files).map(([path, text]) => ({ path, sha256: path, bytes: text.length })) },
  );
const LONG = 'x'.repeat(31_990);

it.each([
  ['no file', {}, ''],
  ['others than knowledge', { 'recipe/train.py': 'x' }, ''],
  ['files that fit', { 'knowledge/a.md': 'one', 'knowledge/b.md': 'two' }, 'one\n\ntwo'],
  [
    'one that does not fit any more',
    { 'knowledge/a.md': LONG, 'knowledge/b.md': 'y'.repeat(11), 'knowledge/c.md': 'three' },
    `${LONG}\n\nthree\n\nMore, with the tool knowledge: b.md`,
  ],
  ['files in folders', { 'knowledge/papers/a.md': 'one' }, 'More, with the tool knowledge: papers/a.md'],
])('the prompt has of the knowledge: %s', async (_, files, text) => {
  expect(await known(files)).toBe(text);
});
