import {
  MongoClient,
  ReadConcern,
  type DbOptions,
  type MongoClientOptions,
  type TopologyDescription,
} from 'mongodb';

/**
 * A store that takes a connection and then says nothing counts as away after this long. No command of ours comes near
 * it; `socketTimeoutMS` in the URL says otherwise.
 */
const SILENCE_MS = 60_000;

/** Makes a client; a test makes one that counts its commands. */
export type MakeClient = (url: string, options: MongoClientOptions) => MongoClient;

const newClient: MakeClient = (url, options) => new MongoClient(url, options);

/** A client that is not connected yet, and the options of databases once it is. */
export function clientOf(
  url: string,
  make: MakeClient = newClient,
): { client: MongoClient; databaseOptions: () => DbOptions } {
  const client = make(url, {
    writeConcern: { w: 'majority' },
    readPreference: 'primary',
    serverSelectionTimeoutMS: 10_000,
    ...(!/[?&]socketTimeoutMS=/i.test(url) && { socketTimeoutMS: SILENCE_MS }),
    appName: 'assay',
  });
  let replicated = false;
  client.on('topologyDescriptionChanged', ({ newDescription }) => {
    replicated ||= isReplicated(newDescription);
  });
  return { client, databaseOptions: () => optionsOf(replicated) };
}

/**
 * Options of a database. Where there are replicas, what is read is of the primary and a failover cannot take it back;
 * a server of its own refuses a read concern, and has nothing that could be taken back.
 */
function optionsOf(replicated: boolean): DbOptions {
  return replicated ? { readConcern: new ReadConcern('majority') } : {};
}

const isReplicated = ({ servers }: TopologyDescription): boolean =>
  [...servers.values()].some(({ type }) => type.startsWith('RS') || type === 'Mongos');
