import { columns } from './table.js';
import type { Paint } from './paint.js';
import { oneLine } from './text.js';

/** One thing that was looked at. */
export interface Checked {
  part: string;
  ok: boolean;
  /** Without it assay does not work at all. */
  essential: boolean;
  found: string;
  remedy: string | null;
}

/** Renders what this machine has, and under it remedies for what it lacks. */
export function renderDoctor(findings: readonly Checked[], paint: Paint): string {
  const rows = findings.map((each) => [mark(each, paint), each.part, oneLine(each.found)]);
  const remedies = findings.flatMap(({ part, remedy }) =>
    remedy === null ? [] : [`${part}: ${oneLine(remedy)}`],
  );
  return [
    columns([{ title: '' }, { title: 'PART' }, { title: 'FOUND' }], rows),
    ...(remedies.length === 0 ? [] : ['', ...remedies]),
  ].join('\n');
}

function mark({ ok, essential }: Checked, paint: Paint): string {
  if (ok) return paint('green', 'ok');
  return essential ? paint('red', 'missing') : paint('yellow', 'weaker');
}
