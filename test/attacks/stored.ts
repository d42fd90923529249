import { MongoClient } from 'mongodb';
import { z } from 'zod';
import type { World } from '../workflows/world.js';

const raw = z.instanceof(Uint8Array);

/** Every document and every stored blob of a world, byte for byte. */
export async function storedText(world: World): Promise<string> {
  const client = new MongoClient(world.env['ASSAY_MONGODB_URL'] ?? '');
  try {
    const database = client.db(world.env['ASSAY_MONGODB_DATABASE']);
    const texts: string[] = [];
    for (const { name } of await database.listCollections().toArray())
      for await (const document of database.collection(name).find({}, { raw: true }))
        texts.push(Buffer.from(raw.parse(document)).toString('latin1'));
    return texts.join('\n');
  } finally {
    await client.close();
  }
}
