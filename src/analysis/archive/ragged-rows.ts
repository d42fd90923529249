/** Facts about a table's columns by which a row with too few or too many cells can be put right. */
export interface RowLayout {
  width: number;
  /** Index of the column that holds a status, and the words it may hold. */
  status: number;
  statuses: ReadonlySet<string>;
  /** Indices of columns that hold a number or nothing. */
  numeric: readonly number[];
}

/**
 * Returns the cells of a row as the columns have it. A row that is too short has had the rest of its cells written,
 * divided by single spaces, into its last cell; one that is too long has had a delimiter within a text. Returns null
 * where nothing, or more than one thing, makes sense of it.
 */
export function squareRow(cells: readonly string[], layout: RowLayout): string[] | null {
  if (cells.length === layout.width) return [...cells];
  const ways = cells.length < layout.width ? divided(cells, layout) : joined(cells, layout);
  const [only, second] = ways.filter((way) => makesSense(way, layout));
  return only === undefined || second !== undefined ? null : only;
}

/** Each way to divide the last cell such that the status column holds a status. */
function divided(cells: readonly string[], { width, status, statuses }: RowLayout): string[][] {
  const before = cells.slice(0, -1);
  const words = (cells.at(-1) ?? '').split(' ');
  const between = status - before.length - 1;
  const after = width - status - 1;
  if (between < 0) return [];
  return words.flatMap((word, at) => {
    if (!statuses.has(word) || at < between + 1 || words.length - at - 1 < after) return [];
    const rest = words.slice(at + 1);
    const tail = after === 0 ? [] : [...rest.slice(0, after - 1), rest.slice(after - 1).join(' ')];
    return [
      [...before, words.slice(0, at - between).join(' '), ...words.slice(at - between, at), word, ...tail],
    ];
  });
}

/** Each way to join neighbouring cells such that the width is right. */
function joined(cells: readonly string[], { width }: RowLayout): string[][] {
  const surplus = cells.length - width;
  return Array.from({ length: width }, (_, at) => [
    ...cells.slice(0, at),
    cells.slice(at, at + surplus + 1).join(' '),
    ...cells.slice(at + surplus + 1),
  ]);
}

function makesSense(cells: readonly string[], { status, statuses, numeric }: RowLayout): boolean {
  return (
    statuses.has(cells[status] ?? '') &&
    numeric.every((column) => Number.isFinite(Number((cells[column] ?? '').trim())))
  );
}
