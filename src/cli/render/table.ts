import { getBorderCharacters, table } from 'table';

export interface Column {
  title: string;
  right?: boolean;
}

/** A table without lines: it survives copying, `cut` and `awk`. Cells have to be clean and of one line. */
export function columns(heads: readonly Column[], rows: readonly (readonly string[])[]): string {
  const titles = heads.map(({ title }) => title);
  const text = table([titles, ...rows.map((row) => [...row])], {
    border: getBorderCharacters('void'),
    drawHorizontalLine: () => false,
    columnDefault: { paddingLeft: 0, paddingRight: 2 },
    columns: heads.map(({ right }) => ({ alignment: right === true ? 'right' : 'left' })),
  });
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .trimEnd();
}

/** `label   value` lines, the labels as wide as the widest. */
export function fields(pairs: readonly (readonly [string, string])[]): string {
  const width = Math.max(0, ...pairs.map(([label]) => label.length)) + 2;
  const lines = pairs.map(([label, value]) => {
    const [first = '', ...more] = value.split('\n');
    return [`${label.padEnd(width)}${first}`, ...more.map((line) => `${' '.repeat(width)}${line}`)].join(
      '\n',
    );
  });
  return lines.join('\n');
}
