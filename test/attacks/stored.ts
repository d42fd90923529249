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

const counted = z.object({ bytes: z.number() });

/** Bytes of all blobs of a world. */
export async function storedBytes(world: World): Promise<number> {
  const client = new MongoClient(world.env['ASSAY_MONGODB_URL'] ?? '');
  try {
    const blobs = client.db(world.env['ASSAY_MONGODB_DATABASE']).collection('blobs');
    let sum = 0;
    for await (const blob of blobs.find({}, { projection: { bytes: 1 } })) sum += counted.parse(blob).bytes;
    return sum;
  } finally {
    await client.close();
  }
}
