import type { ArchiveRun, RecordedFacts, RefusedRow, Repairs } from './archive-run.js';
import type { Columns } from './columns.js';
import { parseDelimited, type DelimitedTable } from './delimited.js';
import { rowReader, type ReadRow } from './read-row.js';
import { squareRow, type RowLayout } from './ragged-rows.js';
import type { Trajectory, TrajectoryTrial } from '../trajectory/trajectory.js';

/** Reads a results table as one run. */
export function readTable(name: string, text: string, columns: Columns): ArchiveRun {
  const table = parseDelimited(text);
  const header = table.rows[0]?.cells ?? [];
  const repairs = noRepairs(table);
  const refused: RefusedRow[] = [];
  const read = rowReader(header, columns, repairs);
  const found = table.rows.slice(1).flatMap(({ line, cells }) => {
    const square = squareRow(cells, layoutOf(header, columns));
    if (square === null) {
      refused.push({ line, why: `${cells.length} cells instead of ${header.length}, in no way that fits` });
      return [];
    }
    if (cells.length !== header.length) repairs.ragged += 1;
    const row = read(square);
    if (typeof row !== 'string') return [row];
    refused.push({ line, why: row });
    return [];
  });
  return { ...assembled(name, columns, found), rows: table.rows.length - 1, repairs, refused };
}

const noRepairs = ({ multiline, unclosed }: DelimitedTable): Repairs => ({
  ...{ ragged: 0, prefixedParents: 0, embedded: 0, oddNumbers: 0 },
  multiline,
  unclosed,
});

/** Names of the columns that a mapping uses and a table lacks. */
export function missingColumns(header: readonly string[], { columns, metrics }: Columns): string[] {
  const used = [...Object.values(columns).filter((name) => name !== undefined), ...metrics];
  return used.filter((name) => !header.includes(name));
}

function layoutOf(header: readonly string[], { columns, metrics, statuses }: Columns): RowLayout {
  const numeric = [
    columns.score,
    columns.delta,
    columns.artifact_bytes,
    columns.train_s,
    columns.evaluate_s,
    columns.total_s,
    ...metrics,
  ];
  return {
    width: header.length,
    status: header.indexOf(columns.status),
    statuses: new Set(Object.keys(statuses)),
    numeric: numeric.flatMap((name) => (name === undefined ? [] : [header.indexOf(name)])),
  };
}

/** Numbers the rows in their order, the start 0, and finds the parents that they name. */
function assembled(
  name: string,
  { metric }: Columns,
  rows: readonly ReadRow[],
): Pick<ArchiveRun, 'trajectory' | 'recorded'> {
  const startRow = rows.find(({ start }) => start);
  const proposals = rows.filter((row) => row !== startRow);
  const numbered = [
    ...(startRow === undefined ? [] : [{ row: startRow, number: 0 }]),
    ...proposals.map((row, place) => ({ row, number: place + 1 })),
  ].map((each) => ({ ...each, id: each.row.trial.id === '' ? String(each.number) : each.row.trial.id }));
  const numbers = new Map<string, number>();
  // the first of several rows of one id is the one that others can mean
  for (const { id, number } of numbered)
    for (const one of [id, bareId(id)]) if (!numbers.has(one)) numbers.set(one, number);
  const trials: TrajectoryTrial[] = [];
  const recorded = new Map<number, RecordedFacts>();
  let start: TrajectoryTrial | null = null;
  for (const { row, number, id } of numbered) {
    const { parentId } = row.recorded;
    const parent = numbers.get(parentId) ?? numbers.get(bareId(parentId)) ?? null;
    const trial = { ...row.trial, number, id, parent };
    recorded.set(number, { ...row.recorded, id });
    if (row === startRow) start = trial;
    else trials.push(trial);
  }
  const nothingElse = { noise: null, toolCalls: [], unread: [] };
  const trajectory: Trajectory = { name, source: 'archive', metric, start, trials, ...nothingElse };
  return { trajectory, recorded };
}

/** An id without its leading zeros: `075` and `75` are one trial. */
const bareId = (id: string): string => (/^\d+$/.test(id) ? `#${Number(id)}` : id);
