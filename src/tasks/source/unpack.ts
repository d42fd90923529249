import { AssayError } from '../../domain/errors.js';
import { FOLDER_LIMITS } from '../../domain/task/recipe.js';
import { decodeBase85 } from './base85.js';
import { decodeLzma2, Lzma2Fault } from './lzma2.js';

/** The two lines around the content of a Python program that unpacks itself, as it is counted with `lzma-b85`. */
const BEFORE = 'import lzma as L,base64 as B\nexec(L.decompress(B.b85decode("';
const AFTER = '"),format=L.FORMAT_RAW,filters=[{"id":L.FILTER_LZMA2}]))';

/**
 * Unpacks a Python program that unpacks itself, without running anything of it: the program has to be nothing but the
 * two known lines around the packed text.
 * @throws AssayError SOURCE_INVALID where it is no such program
 */
export function unpackProgram(path: string, packed: Uint8Array): Buffer {
  const text = Buffer.from(packed).toString('latin1').trimEnd();
  const within = text.startsWith(BEFORE) && text.endsWith(AFTER);
  const content = within ? decodeBase85(text.slice(BEFORE.length, -AFTER.length)) : null;
  if (content === null)
    throw invalid(
      path,
      'it is not the two lines of a Python program that unpacks itself (raw LZMA2 in base 85)',
    );
  try {
    return Buffer.from(decodeLzma2(content, FOLDER_LIMITS.maxFileBytes));
  } catch (error) {
    if (!(error instanceof Lzma2Fault)) throw error;
    throw invalid(path, error.message);
  }
}

const invalid = (path: string, why: string): AssayError =>
  new AssayError('SOURCE_INVALID', `${path} cannot be unpacked: ${why}`);
