import { MongoRuntimeError, type GridFSBucket, type ObjectId } from 'mongodb';

/** Deletes a large file with its chunks; one whose entry is gone already is no error. */
export async function deleteLarge(bucket: GridFSBucket, file: ObjectId): Promise<void> {
  try {
    await bucket.delete(file);
  } catch (error) {
    // the driver has no class and no code for it, and deletes the chunks first
    if (!(error instanceof MongoRuntimeError) || !error.message.startsWith('File not found')) throw error;
  }
}
