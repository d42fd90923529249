import { toldStatusSchema, type ToldStatus } from '../../domain/session/told.js';
import { TITLES } from './sections.js';

/** Facts that can be read back from a rendered view. */
export interface ViewReading {
  direction: 'minimize' | 'maximize';
  trialsLeft: number | null;
  frontier: number | null;
  rows: RowReading[];
}
export interface RowReading {
  trial: number;
  status: ToldStatus | null;
  parent: number | null;
  score: number | null;
  delta: number | null;
  hypothesis: string;
  /** Lines "-old" and "+new"; empty where the row was shown in brief. */
  changes: string[];
}

/** The first line of a row is shorter; the expression below may try every place of a longer one with every other. */
const LONGEST_ROW = 2000;
const HEAD =
  /^trial (\d+) \[[^\]]*\] ([a-z_]+)(?:, parent (\d+))?(?:, score (\S+).*?)?(?:, delta (\S+?))?(?:, seed-[a-z]+)*(?:: (.*)|$)/;

/** Reads a view that `renderView` wrote, wherever it stands in a text; null where there is none. */
export function readView(text: string): ViewReading | null {
  const head = /^Campaign .*, (lower|higher) is better.*\. Trials left: (\d+|not limited)\..*$/m.exec(text);
  if (!head) return null;
  const rows: RowReading[] = [];
  let frontier: number | null = null;
  let section = '';
  for (const line of text.slice(head.index).split('\n')) {
    if (line.startsWith('## ')) section = line.slice(3);
    const match = line.length > LONGEST_ROW ? null : HEAD.exec(line);
    if (match) {
      const status = toldStatusSchema.safeParse(match[2]);
      rows.push({
        trial: Number(match[1]),
        status: status.success ? status.data : null,
        parent: numberOr(match[3]),
        score: numberOr(match[4]),
        delta: numberOr(match[5]),
        hypothesis: match[6] ?? '',
        changes: [],
      });
      if (section === TITLES.frontier) frontier ??= Number(match[1]);
    } else if (/^ {4}[-+]/.test(line)) {
      rows.at(-1)?.changes.push(line.slice(4));
    }
  }
  return {
    direction: head[1] === 'lower' ? 'minimize' : 'maximize',
    trialsLeft: numberOr(head[2]),
    frontier,
    rows,
  };
}

function numberOr(text: string | undefined): number | null {
  const value = text === undefined ? NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}
