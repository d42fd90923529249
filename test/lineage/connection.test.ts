import { MongoClient } from 'mongodb';
import { expect, inject, it } from 'vitest';
import { clientOf } from '../../src/lineage/connection.js';
import { startStandIn } from '../bad-input/stand-in-store.js';

it('reads and writes what a majority has, from the primary, where there are replicas', async () => {
  const server = await startStandIn(
    21,
    () => ({ ok: 1 }),
    (address) => ({
      setName: 'rs0',
      hosts: [address],
      me: address,
      primary: address,
      setVersion: 1,
    }),
  );
  // the URL's read settings do not apply to reads that decisions depend on
  const { client, databaseOptions } = clientOf(`mongodb://${server.address}/?readPreference=secondary`);
  await client.connect();
  const database = client.db('any', databaseOptions());
  expect(database.readConcern?.level).toBe('majority');
  expect(database.writeConcern?.w).toBe('majority');
  expect(database.readPreference.mode).toBe('primary');
  await client.close();
  await server.stop();
});

it('asks a server of its own for no read concern, which it would refuse', async () => {
  const { client, databaseOptions } = clientOf(
    inject('storeUrl'),
    (url, options) => new MongoClient(url, options),
  );
  await client.connect();
  const database = client.db('any', databaseOptions());
  expect(database.readConcern).toBeUndefined();
  expect(await database.collection('none').findOne({})).toBeNull();
  await client.close();
});
