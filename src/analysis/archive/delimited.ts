/** A record of a delimited table, with the line of the file that it begins on. */
export interface RawRow {
  line: number;
  cells: string[];
}

export interface DelimitedTable {
  rows: RawRow[];
  /** Cells that go over several lines. */
  multiline: number;
  /** Quotes that open a cell and never close: they are taken as plain characters. */
  unclosed: number;
}

/**
 * Parses a table whose cells may be quoted, over several lines too. Text after the closing quote of a cell belongs to
 * the cell, as most readers have it. Empty lines are left out.
 */
export function parseDelimited(text: string, delimiter = '\t'): DelimitedTable {
  const reader = new Reader(text.startsWith('\uFEFF') ? text.slice(1) : text, delimiter);
  const rows: RawRow[] = [];
  while (!reader.ended) {
    const row = reader.row();
    if (row.cells.length > 1 || row.cells[0] !== '') rows.push(row);
  }
  return { rows, multiline: reader.multiline, unclosed: reader.unclosed };
}

class Reader {
  multiline = 0;
  unclosed = 0;
  private at = 0;
  private line = 1;

  constructor(
    private readonly text: string,
    private readonly delimiter: string,
  ) {}

  get ended(): boolean {
    return this.at >= this.text.length;
  }

  row(): RawRow {
    const { line } = this;
    const cells = [this.cell()];
    while (this.text[this.at] === this.delimiter) {
      this.at += 1;
      cells.push(this.cell());
    }
    if (this.text.startsWith('\r\n', this.at)) this.at += 1;
    this.at += 1;
    this.line += 1;
    return { line, cells };
  }

  private cell(): string {
    if (this.text[this.at] !== '"') return this.plain();
    const quoted = this.quoted();
    return quoted === null ? this.plain() : quoted + this.plain();
  }

  /** Text up to the next delimiter or the end of the line. */
  private plain(): string {
    const from = this.at;
    let to = this.text.indexOf('\n', from);
    if (to === -1) to = this.text.length;
    const next = this.text.indexOf(this.delimiter, from);
    if (next !== -1 && next < to) to = next;
    else if (this.text[to - 1] === '\r' && to > from) to -= 1;
    this.at = to;
    return this.text.slice(from, to);
  }

  private quoted(): string | null {
    const from = this.at + 1;
    let close = this.text.indexOf('"', from);
    while (close !== -1 && this.text[close + 1] === '"') close = this.text.indexOf('"', close + 2);
    if (close === -1) {
      this.unclosed += 1;
      return null;
    }
    const value = this.text.slice(from, close).replaceAll('""', '"');
    const breaks = value.split('\n').length - 1;
    this.line += breaks;
    if (breaks > 0) this.multiline += 1;
    this.at = close + 1;
    return value;
  }
}
