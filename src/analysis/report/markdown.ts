import type { Block, ReportDocument, Table } from './blocks.js';

/** A report as Markdown: the same words and tables, its figures by their captions. */
export function markdown({ title, subtitle, sections }: ReportDocument): string {
  const parts = sections.map(({ title: heading, blocks }) =>
    [`## ${inline(heading)}`, ...blocks.map(blockText)].join('\n\n'),
  );
  return `${[`# ${inline(title)}`, inline(subtitle), ...parts].join('\n\n')}\n`;
}

function blockText(block: Block): string {
  switch (block.kind) {
    case 'text':
      return inline(block.text);
    case 'list':
      return block.items.map((item) => `- ${inline(item)}`).join('\n');
    case 'table':
      return tableText(block);
    case 'code':
      return fenced(block.text);
    case 'figure':
      return `*Figure, in the HTML report: ${inline(block.caption)}*`;
  }
}

function tableText({ columns, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(inline).join(' | ')} |`;
  return [
    line(columns.map((column) => column.title)),
    `|${columns.map(({ right }) => (right === true ? ' ---: |' : ' --- |')).join('')}`,
    ...rows.map(line),
  ].join('\n');
}

/** A fence longer than any run of its characters in the text. */
function fenced(content: string): string {
  const longest = (content.match(/`+/g) ?? []).reduce((most, run) => Math.max(most, run.length), 2);
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${content.trimEnd()}\n${fence}`;
}

/** All control and format characters (C0, C1, escape, direction marks). */
const UNSAFE = /[\p{Cc}\p{Cf}]/gu;

/** An underscore at the edge of a word; one within a word marks nothing up. */
const EDGE_UNDERSCORE = /(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu;

/** Text of models and recipes as plain words: on one line, with nothing in it that marks anything up. */
function inline(content: string): string {
  return content
    .replace(/\s+/g, ' ')
    .trim()
    .replace(UNSAFE, '\u{FFFD}')
    .replace(/&(?=#?\w+;)/g, '&amp;')
    .replace(/[\\`*[\]<|]/g, '\\$&')
    .replace(EDGE_UNDERSCORE, '\\_')
    .replace(/~~/g, '\\~\\~')
    .replace(/^(?:[#>+-]|\d+[.)])(?=\s|#)/, (mark) => `${mark.slice(0, -1)}\\${mark.slice(-1)}`);
}
