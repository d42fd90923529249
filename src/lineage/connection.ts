import {
  MongoClient,
  ReadConcern,
  type DbOptions,
  type MongoClientOptions,
  type TopologyDescription,
} from 'mongodb';

/**
 * Time after which a store that accepts a connection and stays silent counts as unreachable. No command of ours takes
 * nearly as long; `socketTimeoutMS` in the URL overrides it.
 */
const SILENCE_MS = 60_000;

/** Creates a client; a test creates one that counts its commands. */
export type MakeClient = (url: string, options: MongoClientOptions) => MongoClient;

const newClient: MakeClient = (url, options) => new MongoClient(url, options);

/** Creates a client that is not connected yet, with the options of databases once it is. */
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
 * Options of a database. With replicas, reads go to the primary and survive a failover; a single server refuses a
 * read concern and does not need one.
 */
function optionsOf(replicated: boolean): DbOptions {
  return replicated ? { readConcern: new ReadConcern('majority') } : {};
}

const isReplicated = ({ servers }: TopologyDescription): boolean =>
  [...servers.values()].some(({ type }) => type.startsWith('RS') || type === 'Mongos');
