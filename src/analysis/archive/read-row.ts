import type { RecordedFacts, Repairs } from './archive-run.js';
import type { Columns } from './columns.js';
import { divideEmbedded } from './embedded-fields.js';
import { readNumber } from './read-number.js';
import type { Ending, TrajectoryTrial } from '../trajectory/trajectory.js';

/** A row before it has a number; its parent is still an id. */
export interface ReadRow {
  start: boolean;
  trial: Omit<TrajectoryTrial, 'number' | 'parent'>;
  recorded: Omit<RecordedFacts, 'id'>;
}

type Field = keyof Columns['columns'];

/** Returns a reader of rows, which answers with a row or with the reason why there is none. */
export function rowReader(
  header: readonly string[],
  columns: Columns,
  repairs: Repairs,
): (cells: readonly string[]) => ReadRow | string {
  const indexOf = new Map(header.map((name, index) => [name, index]));
  return (cells) => {
    const named = (column: string): string => cells[indexOf.get(column) ?? -1] ?? '';
    const text = (field: Field): string => {
      const column = columns.columns[field];
      return column === undefined ? '' : named(column);
    };
    const word = text('status').trim();
    const meant = columns.statuses[word];
    if (meant === undefined) return `its status "${word}" is not in the mapping`;
    return new Row({ columns, repairs, text, named }).read(word, meant);
  };
}

interface Source {
  columns: Columns;
  repairs: Repairs;
  text: (field: Field) => string;
  named: (column: string) => string;
}

class Row {
  constructor(private readonly source: Source) {}

  read(word: string, meant: Ending | 'start'): ReadRow {
    const { text, columns } = this.source;
    const { hypothesis, notes } = this.proposal();
    const endedAt = timeOf(text('ended_at'));
    const totalMs = this.milliseconds('total_s');
    const ending = this.ending(word, meant, notes);
    return {
      start: meant === 'start',
      recorded: {
        delta: this.number(text('delta')),
        parentId: this.parentId(),
        snapshot: text('snapshot').trim(),
      },
      trial: {
        id: text('id').trim(),
        role: text('role').trim() || 'all',
        domain: text('domain').trim() || null,
        edit: null,
        model: text('model').trim() || null,
        ending,
        stage: null,
        cause: causeOf(ending, notes),
        ...this.measured(),
        artifactBytes: this.number(text('artifact_bytes')),
        hypothesis,
        expectedDelta: this.number(text('expected_delta')),
        believedGain: null,
        startedAt: endedAt === null || totalMs === null ? null : endedAt - totalMs,
        endedAt,
        times: {
          queueMs: null,
          trainMs: this.milliseconds('train_s'),
          evaluateMs: this.milliseconds('evaluate_s'),
          totalMs,
        },
        costs: {
          microUsd: scaled(this.number(text('dollars')), 1e6),
          acceleratorMs: columns.accelerators === null ? null : scaled(totalMs, columns.accelerators),
          savedMs: null,
        },
      },
    };
  }

  private proposal(): { hypothesis: string; notes: string } {
    const { text, repairs } = this.source;
    const divided = divideEmbedded(text('hypothesis').trim());
    if (divided.notes !== null) repairs.embedded += 1;
    const notes = [divided.notes ?? '', text('notes').trim()].filter((part) => part !== '').join(' ');
    return { hypothesis: divided.text, notes };
  }

  private ending(word: string, meant: Ending | 'start', notes: string): Ending {
    if (meant === 'start') return 'keep';
    const rules = this.source.columns.infrastructure;
    return rules.some((rule) => rule.status === word && notes.includes(rule.notes))
      ? 'infrastructure'
      : meant;
  }

  private measured(): Pick<TrajectoryTrial, 'score' | 'runs' | 'metrics'> {
    const { columns, text, named } = this.source;
    const written = this.number(text('score'));
    const score = written === null || columns.no_score.includes(written) ? null : written;
    const metrics = columns.metrics.flatMap((name) => {
      const value = this.number(named(name));
      return value === null ? [] : [[name, value] as const];
    });
    return { score, runs: score === null ? [] : [score], metrics: Object.fromEntries(metrics) };
  }

  private parentId(): string {
    const { columns, repairs, text } = this.source;
    const written = text('parent').trim();
    const prefix = columns.parent_prefix;
    if (prefix === '' || !written.startsWith(prefix)) return written;
    repairs.prefixedParents += 1;
    return written.slice(prefix.length);
  }

  private milliseconds(field: 'train_s' | 'evaluate_s' | 'total_s'): number | null {
    return scaled(this.number(this.source.text(field)), 1000);
  }

  private number(text: string): number | null {
    const read = readNumber(text);
    if (read?.odd === true) this.source.repairs.oddNumbers += 1;
    return read?.value ?? null;
  }
}

/** Reason for a crash: what stands behind the proposer's own notes, divided by a bar. */
function causeOf(ending: Ending, notes: string): string {
  if (!['crash', 'preflight_crash', 'violation', 'infrastructure'].includes(ending)) return '';
  return notes.split(' | ').at(-1)?.trim() ?? '';
}

const scaled = (value: number | null, by: number): number | null => (value === null ? null : value * by);

function timeOf(text: string): number | null {
  const time = Date.parse(text.trim());
  return Number.isNaN(time) ? null : time;
}
