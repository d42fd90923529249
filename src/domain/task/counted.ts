import { matchesGlob } from '../text/paths.js';

/** Metrics of size, which counted files make up. */
const SIZES = ['bytes', 'code_bytes'];

/** Declaration of what counts: globs, as the files are; or globs with the form that they are counted in. */
type Counted = readonly string[] | ({ files: readonly string[] } & CountedForm);

/** The form that files are counted in: as they are or packed, and whether comments and layout of Python count. */
export interface CountedForm {
  as: 'raw' | 'lzma-b85';
  minified: boolean;
}

/** The globs of files that count. */
export const countedFiles = ({ counted }: { counted: Counted }): readonly string[] =>
  'files' in counted ? counted.files : counted;

/** The form that files are counted in. */
export const countedForm = ({ counted }: { counted: Counted }): CountedForm =>
  'files' in counted ? { as: counted.as, minified: counted.minified } : { as: 'raw', minified: false };

/** Tells whether each file counts with the bytes that it has. */
export const countedAsWritten = ({ as, minified }: CountedForm): boolean => as === 'raw' && !minified;

interface Sized {
  recipe: { editable: readonly string[]; counted: Counted };
  metrics: readonly string[];
}

/**
 * Finds an entry of `editable` whose files would carry bytes that a task by whose metrics size matters does not count;
 * null when there is none.
 */
export function uncounted({ recipe, metrics }: Sized): string | null {
  if (!metrics.some((metric) => SIZES.includes(metric))) return null;
  const counted = countedFiles(recipe);
  return recipe.editable.find((entry) => !counted.some((glob) => covers(glob, entry))) ?? null;
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
