/**
 * Returns what is read, or null where it does not exist; a folder that cannot be read for another reason is not an
 * empty one.
 */
export async function unlessMissing<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
