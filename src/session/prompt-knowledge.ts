import type { TaskDocument } from '../lineage/documents/task.js';
import type { Lineage } from '../lineage/lineage.js';

/** Characters of knowledge that every prompt holds; what is beyond them is read on demand. */
const MOST_CHARACTERS = 32_000;

/** The knowledge of a task as its prompts have it: whole files while they fit, and the names of the others. */
export async function promptKnowledge(
  { blobs }: { blobs: Pick<Lineage['blobs'], 'text'> },
  { files }: Pick<TaskDocument, 'files'>,
): Promise<string> {
  const parts: string[] = [];
  const others: string[] = [];
  let room = MOST_CHARACTERS;
  for (const { path, sha256, bytes } of files) {
    if (!path.startsWith(FOLDER)) continue;
    const isPrompted = /^[^/]+\.md$/.test(path.slice(FOLDER.length));
    const text = isPrompted && bytes <= room * MOST_BYTES ? await blobs.text(sha256) : null;
    if (text === null || text.length > room) others.push(path.slice(FOLDER.length));
    else {
      parts.push(text);
      room -= text.length;
    }
  }
  const more = others.length === 0 ? [] : [`More, with the tool knowledge: ${others.join(', ')}`];
  return [...parts, ...more].join('\n\n');
}

const FOLDER = 'knowledge/';
/** The most bytes of one character of UTF-8 text. */
const MOST_BYTES = 4;
