import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer } from 'node:http';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { openWorld, type World } from '../workflows/world.js';
import { assay, refusalHere, refused, runHere } from './assay.js';
import { expectError, type RowName } from './rows.js';
import { listen, startStandIn, type StandIn } from './stand-in-store.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.stop());

/** Runs a command on this store; its message has to name the wrong variable. */
async function withStore(row: RowName, url: string, variable = 'ASSAY_MONGODB_URL'): Promise<void> {
  const said = await refusalHere(['status'], { ...world.env, ASSAY_MONGODB_URL: url });
  expectError(row, said);
  expect(`${said.message} ${said.remedy}`).toContain(variable);
}

/** The real store behind a proxy; `between` sees the requests and may hold the answers back. */
function storeBehind(between: (asked: string, line: Line) => Promise<void> | void): Promise<StandIn> {
  const { hostname, port } = new URL(inject('storeUrl'));
  return listen((client) => {
    const store = connect(Number(port), hostname);
    const line: Line = { silent: false };
    client.on('data', (chunk: Buffer) => {
      void Promise.resolve(between(chunk.toString('latin1'), line)).then(() => store.write(chunk));
    });
    store.on('data', (chunk) => line.silent || client.write(chunk));
    store.on('error', () => undefined).on('close', () => client.destroy());
    client.on('close', () => store.destroy());
  });
}

interface Line {
  silent: boolean;
}

describe('a store', () => {
  it('that is down is named with its variable, as a process as well', async () => {
    const env = { ...world.env, ASSAY_MONGODB_URL: 'mongodb://127.0.0.1:1/' };
    await refused('store-down', env, ['status'], ['start', '--task', 'tiny']);
  });

  it('that says nothing at all is given up', async () => {
    const mute = await listen(() => undefined);
    await withStore('store-silent', `mongodb://${mute.address}/`);
    await mute.stop();
  });

  it('that falls silent in the midst of a command is given up', async () => {
    const store = await storeBehind((asked, line) => {
      line.silent ||= asked.includes('find') && asked.includes('campaigns');
    });
    await withStore('store-stalls', `mongodb://${store.address}/?socketTimeoutMS=1500`, '`assay doctor`');
    await store.stop();
  });

  it('that is slow is waited for', async () => {
    let asked = 0;
    const store = await storeBehind(async () => {
      asked += 1;
      await sleep(200);
    });
    const env = { ...world.env, ASSAY_MONGODB_URL: `mongodb://${store.address}/` };
    const { exitCode, stdout } = await runHere(['task', 'list', '--json'], env);
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { schema: 'assay.tasks/1' }]);
    expect(asked, 'store-slow').toBeGreaterThan(5);
    await store.stop();
  });

  it('of an older version is refused', async () => {
    const old = await startStandIn(6, () => ({ version: '3.6.23', ok: 1 }));
    await withStore('store-old', `mongodb://${old.address}/`);
    expect(old.seen.length).toBeGreaterThan(0);
    await old.stop();
  });

  it('with a database of another schema is refused, and the database stays as it was', async () => {
    const client = await new MongoClient(inject('storeUrl')).connect();
    const name = `other_${process.pid}`;
    const database = client.db(name);
    await database
      .collection<{ _id: string; version: number }>('meta')
      .insertOne({ _id: 'schema', version: 99 });
    const before = await database.listCollections().toArray();
    await refused(
      'store-schema',
      { ...world.env, ASSAY_MONGODB_DATABASE: name },
      ['status'],
      ['task', 'list'],
    );
    expect(await database.listCollections().toArray()).toEqual(before);
    await client.close();
  });

  it('that needs a login is named as that, with a wrong one and with none', async () => {
    const wrong = await startStandIn(21, (command) =>
      command.startsWith('sasl')
        ? { ok: 0, code: 18, codeName: 'AuthenticationFailed', errmsg: 'Authentication failed.' }
        : { ok: 1 },
    );
    await withStore('store-login-wrong', `mongodb://user:a-password@${wrong.address}/`);
    expect(wrong.seen).toContain('saslStart');
    await wrong.stop();
    const none = await startStandIn(21, (command) =>
      command === 'buildInfo' || command === 'endSessions'
        ? { version: '7.0.0', ok: 1 }
        : { ok: 0, code: 13, codeName: 'Unauthorized', errmsg: `Command ${command} requires authentication` },
    );
    await withStore('store-login-none', `mongodb://${none.address}/`);
    expect(none.seen).toContain('find');
    await none.stop();
  });
});

describe('the password of a store', () => {
  const PASSWORD = 'geheim-wort';
  const listener = () =>
    startStandIn(21, () => ({ ok: 0, code: 18, codeName: 'AuthenticationFailed', errmsg: 'no' }));

  it('is in nothing that a command says, --debug included, whatever is wrong with the URL', async () => {
    const store = await listener();
    const urls = [
      `mongodb://user:${PASSWORD}@${store.address}/`,
      `mongodb://user:${PASSWORD}@127.0.0.1:1/`,
      `mongodb://user:${PASSWORD}@127.0.0.1:99999/`,
      `mongodb://user:x@${PASSWORD}@127.0.0.1:1/`,
      `mongodb://user:x/${PASSWORD}@127.0.0.1:1/`,
      `mongodb://user:x:${PASSWORD}@127.0.0.1:1/`,
      `mongodb://user:${PASSWORD}%@127.0.0.1:1/`,
      `mongodb+srv://user:${PASSWORD}@127.0.0.1/`,
      `mongodb://user:${PASSWORD}@127.0.0.1:1/?nonsense=1`,
      `mongo://user:${PASSWORD}@127.0.0.1:1/`,
      `user:${PASSWORD}@127.0.0.1`,
    ];
    for (const url of urls) {
      const env = { ...world.env, ASSAY_MONGODB_URL: url };
      const { stdout, stderr, exitCode } = await runHere(['status', '--json', '--debug'], env);
      expect(exitCode, url).toBe(3);
      expect(stderr, url).toContain('ASSAY_MONGODB_URL');
      expect(stdout + stderr, url).not.toContain(PASSWORD);
    }
    const env = { ...world.env, ASSAY_MONGODB_URL: urls[0] ?? '' };
    for (const args of [['doctor'], ['worker', '--debug'], ['dev', '--debug']]) {
      const { stdout, stderr, exitCode } = await assay(args, env);
      expect(exitCode, args.join(' ')).not.toBe(0);
      expect(stdout + stderr).not.toContain(PASSWORD);
    }
    await store.stop();
  });

  it('may be written in a URL that is none', async () => {
    await withStore('store-url', `http://user:${PASSWORD}@127.0.0.1:1/`);
    await withStore('store-url', `mongodb://user:${PASSWORD}@127.0.0.1:99999/`);
  });
});

describe('Temporal', () => {
  const start = ['start', '--task', 'tiny'];
  const withTemporal = async (row: RowName, change: Record<string, string>): Promise<void> => {
    const said = await refusalHere(start, { ...world.env, ...change });
    expectError(row, said);
    expect(`${said.message} ${said.remedy}`).toContain('TEMPORAL_ADDRESS');
  };

  it('that is down is named with its variable, for a worker as well', async () => {
    const down = { TEMPORAL_ADDRESS: '127.0.0.1:1' };
    await withTemporal('temporal-down', down);
    const worker = await assay(['worker'], { ...world.env, ...down });
    expect(worker.exitCode).toBe(3);
    expect(worker.stderr).toContain('TEMPORAL_ADDRESS is set, but nothing answers at 127.0.0.1:1');
  });

  it('at what is no address is refused', async () => {
    await withTemporal('temporal-address', { TEMPORAL_ADDRESS: 'http//nowhere' });
    await withTemporal('temporal-address', { TEMPORAL_ADDRESS: 'localhost' });
  });

  it('without the namespace is refused, for a worker as well', async () => {
    const namespace = { TEMPORAL_NAMESPACE: 'no-such-namespace' };
    await withTemporal('temporal-namespace', namespace);
    const worker = await assay(['worker'], { ...world.env, ...namespace });
    expect(worker.exitCode).toBe(3);
    expect(worker.stderr).toContain('no namespace "no-such-namespace"');
  });

  it('is not taken for a web server, nor for one that says nothing', async () => {
    const web = createServer((_, response) => response.end('hello'));
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    const { port } = z.object({ port: z.number() }).parse(web.address());
    const mute = await listen(() => undefined);
    await withTemporal('temporal-other', { TEMPORAL_ADDRESS: `127.0.0.1:${port}` });
    await withTemporal('temporal-other', { TEMPORAL_ADDRESS: mute.address });
    web.close();
    await mute.stop();
  });
});
