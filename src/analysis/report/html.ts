import { createHash } from 'node:crypto';
import type { Block, Figure, ReportDocument, Section, Table } from './blocks.js';
import { escape } from './escape.js';
import { coursesFigure } from './figures/courses.js';
import { outcomesFigure } from './figures/outcomes.js';
import { calibrationFigure, plateauFigure, ratesFigure } from './figures/points.js';
import { scoresFigure } from './figures/scores.js';
import { STYLE } from './style.js';

/** Rows from which a table gets a field to filter it by. */
const FILTERED_FROM = 12;

/** Adds a field above each long table; without it everything can be read all the same. */
const SCRIPT = `for (const table of document.querySelectorAll('table.long')) {
  const field = document.createElement('input');
  field.type = 'search';
  field.placeholder = 'filter these rows';
  field.setAttribute('aria-label', field.placeholder);
  field.addEventListener('input', () => {
    const wanted = field.value.toLowerCase();
    for (const row of table.tBodies[0].rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
  table.parentElement.before(field);
}`;

/** A report as one page that needs nothing else: its figures in it, light and dark, no script needed to read it. */
export function html({ title, subtitle, sections }: ReportDocument): string {
  const links = sections.map((section, at) => `<a href="#s${at}">${escape(section.title)}</a>`).join('');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src '${hashOf(STYLE)}'; script-src '${hashOf(SCRIPT)}'">
<title>${escape(title)}: report</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escape(title)}</h1>
<p class="subtitle">${escape(subtitle)}</p>
<nav>${links}</nav>
${sections.map(sectionHtml).join('\n')}
<script>${SCRIPT}</script>
</body>
</html>
`;
}

/** Only what was written here runs or styles: text of models could do neither, even if it were not escaped. */
const hashOf = (content: string): string => `sha256-${createHash('sha256').update(content).digest('base64')}`;

function sectionHtml({ title, blocks }: Section, at: number): string {
  const content = blocks.map(blockHtml).join('\n');
  return `<section id="s${at}"${at === 0 ? ' class="first"' : ''}>\n<h2>${escape(title)}</h2>\n${content}\n</section>`;
}

function blockHtml(block: Block): string {
  switch (block.kind) {
    case 'text':
      return `<p>${escape(block.text)}</p>`;
    case 'list':
      return `<ul>${block.items.map((item) => `<li>${escape(item)}</li>`).join('')}</ul>`;
    case 'table':
      return tableHtml(block);
    case 'code':
      return `<pre>${escape(block.text)}</pre>`;
    case 'figure':
      return `<figure>${figureSvg(block.figure)}<figcaption>${escape(block.caption)}</figcaption></figure>`;
  }
}

function tableHtml({ columns, rows }: Table): string {
  const side = (at: number): string => (columns[at]?.right === true ? ' class="right"' : '');
  const head = columns.map((column, at) => `<th${side(at)}>${escape(column.title)}</th>`).join('');
  const body = rows
    .map((cells) => `<tr>${cells.map((cell, at) => `<td${side(at)}>${escape(cell)}</td>`).join('')}</tr>`)
    .join('\n');
  const long = rows.length >= FILTERED_FROM ? ' class="long"' : '';
  return `<div class="scroll"><table${long}><thead><tr>${head}</tr></thead><tbody>\n${body}\n</tbody></table></div>`;
}

function figureSvg(figure: Figure): string {
  switch (figure.kind) {
    case 'scores':
      return scoresFigure(figure);
    case 'courses':
      return coursesFigure(figure);
    case 'outcomes':
      return outcomesFigure(figure);
    case 'rates':
      return ratesFigure(figure);
    case 'calibration':
      return calibrationFigure(figure);
    case 'plateau':
      return plateauFigure(figure);
  }
}
