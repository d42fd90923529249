import { list, table, text, type Block, type Section } from './blocks.js';
import { count, plural } from './format.js';
import type { ArchiveFacts } from './run-facts.js';

/** How an archive was read: what was put right in it, and where it contradicts itself. */
export function archiveSection({ rows, repairs, refused, contradictions }: ArchiveFacts): Section {
  const done = [
    [repairs.ragged, 'row', 'with too few or too many cells put right'],
    [repairs.multiline, 'cell', 'over several lines kept whole'],
    [repairs.unclosed, 'quote', 'that never closes taken as a character'],
    [repairs.prefixedParents, 'parent', 'written with a prefix resolved'],
    [repairs.embedded, 'text', 'divided from the remains of a tool call'],
    [repairs.oddNumbers, 'number', 'in words or quotes read'],
  ] as const;
  const items = done.flatMap(([times, noun, what]) =>
    times === 0 ? [] : [`${plural(times, noun)} ${what}`],
  );
  const blocks: Block[] = [
    text(
      `${plural(rows, 'row')} below the header.${items.length === 0 ? ' Nothing had to be put right.' : ' Put right:'}`,
    ),
    ...(items.length === 0 ? [] : [list(items)]),
  ];
  if (refused.length > 0)
    blocks.push(
      text(
        `${plural(refused.length, 'row')} could not be read and ${refused.length === 1 ? 'is' : 'are'} in no figure:`,
      ),
      list(refused.slice(0, 10).map(({ line, why }) => `line ${count(line)}: ${why}`)),
    );
  blocks.push(
    contradictions.length === 0
      ? text('Nothing in it contradicts anything else in it that was looked at.')
      : text('Where it contradicts itself:'),
  );
  if (contradictions.length > 0)
    blocks.push(
      table(
        ['>trials', 'what', 'such as'],
        contradictions.map((one) => [count(one.count), one.text, one.examples.join(', ')]),
      ),
    );
  return { title: 'How the archive was read', blocks };
}
