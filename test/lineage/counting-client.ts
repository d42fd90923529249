import { MongoClient, type CommandStartedEvent, type CommandSucceededEvent } from 'mongodb';
import { z } from 'zod';
import type { MakeClient } from '../../src/lineage/connection.js';

const filterSchema = z.record(z.string(), z.unknown());
const commandSchema = z.looseObject({
  filter: filterSchema.optional(),
  query: filterSchema.optional(),
  sort: z.union([z.map(z.string(), z.number()), z.record(z.string(), z.number())]).optional(),
  updates: z.array(z.looseObject({ q: filterSchema })).optional(),
  deletes: z.array(z.looseObject({ q: filterSchema })).optional(),
  pipeline: z.array(z.looseObject({ $match: filterSchema.optional() })).optional(),
});

/** One query to the store: its filter and its order. */
export interface Query {
  command: string;
  collection: string;
  filter: Record<string, unknown>;
  sort: string[];
}

export interface Counted {
  makeClient: MakeClient;
  queries: Query[];
  /** Commands sent and documents read since the last time it was asked. */
  count(): { commands: number; documents: number };
}

const COMMANDS = ['find', 'update', 'findAndModify', 'delete', 'aggregate', 'insert', 'getMore', 'count'];
const cursorSchema = z.object({
  cursor: z.object({
    firstBatch: z.array(z.unknown()).default([]),
    nextBatch: z.array(z.unknown()).default([]),
  }),
});

/** Creates a client that records its queries. */
export function countingClient(): Counted {
  const queries: Query[] = [];
  let counted = { commands: 0, documents: 0 };
  return {
    queries,
    makeClient: (url, options) => {
      const client = new MongoClient(url, { ...options, monitorCommands: true });
      client.on('commandStarted', (event) => {
        if (!COMMANDS.includes(event.commandName)) return;
        counted.commands += 1;
        queries.push(...queriesOf(event));
      });
      client.on('commandSucceeded', ({ reply }: CommandSucceededEvent) => {
        const read = cursorSchema.safeParse(reply).data?.cursor;
        counted.documents += (read?.firstBatch.length ?? 0) + (read?.nextBatch.length ?? 0);
      });
      return client;
    },
    count: () => {
      const now = counted;
      counted = { commands: 0, documents: 0 };
      return now;
    },
  };
}

/** A filter that matches everything. */
const NOTHING: Query['filter'] = {};

function queriesOf({ commandName: command, command: asked }: CommandStartedEvent): Query[] {
  const { filter, query, sort, updates, deletes, pipeline } = commandSchema.parse(asked);
  const collection = z.string().parse(asked[command]);
  const order = sort instanceof Map ? [...sort.keys()] : Object.keys(sort ?? {});
  const match = pipeline?.flatMap(({ $match }) => ($match === undefined ? [] : [$match])) ?? [];
  const changed = [...(updates ?? []), ...(deletes ?? [])].map(({ q }) => q);
  const all = [
    ...(filter === undefined ? [] : [filter]),
    ...(query === undefined ? [] : [query]),
    ...changed,
    ...match,
  ];
  return (command === 'find' && all.length === 0 ? [NOTHING] : all).map((each) => ({
    command,
    collection,
    filter: each,
    sort: order,
  }));
}
