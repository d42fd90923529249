import { matchesGlob } from '../text/paths.js';

/** Metrics of size, which counted files make up. */
const SIZES = ['bytes', 'code_bytes'];

interface Sized {
  recipe: { editable: readonly string[]; counted: readonly string[] };
  metrics: readonly string[];
}

/**
 * Finds an entry of `editable` whose files would carry bytes that a task by whose metrics size matters does not count;
 * null when there is none.
 */
export function uncounted({ recipe: { editable, counted }, metrics }: Sized): string | null {
  if (!metrics.some((metric) => SIZES.includes(metric))) return null;
  return editable.find((entry) => !counted.some((glob) => covers(glob, entry))) ?? null;
}

const isGlob = (entry: string): boolean => /[*?]|\/$/.test(entry);
const whole = (entry: string): string => (entry.endsWith('/') ? `${entry}**` : entry);

/** Returns true when a glob plainly matches every path that an entry matches. */
function covers(glob: string, entry: string): boolean {
  if (!isGlob(entry)) return matchesGlob(entry, [glob]);
  const [outer, inner] = [whole(glob), whole(entry)];
  if (outer === inner || outer === '**') return true;
  const folder = /^([^*?]+\/)\*\*$/.exec(outer)?.[1];
  return folder !== undefined && inner.startsWith(folder);
}
