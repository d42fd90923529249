import type { Colour } from './paint.js';
import { clean } from './text.js';
import { styleText } from 'node:util';

/** A unified diff, coloured where `color` says so. */
export function renderDiff(diff: string, color: boolean): string {
  const text = clean(diff).trimEnd();
  if (!color) return text;
  return text
    .split('\n')
    .map((line) => {
      const colour = colourOf(line);
      return colour === null ? line : styleText(colour, line, { validateStream: false });
    })
    .join('\n');
}

function colourOf(line: string): Colour | null {
  if (/^(?:--- |\+\+\+ |Binary files )/.test(line)) return 'bold';
  if (line.startsWith('@@')) return 'cyan';
  if (line.startsWith('+')) return 'green';
  return line.startsWith('-') ? 'red' : null;
}
