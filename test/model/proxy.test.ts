import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import { connect, type Server as NetServer } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isLoopback } from '../../src/domain/network.js';
import { shownAddress } from '../../src/domain/text/redaction.js';
import { ModelFault, requestTurn } from '../../src/model/client.js';
import { messagesOf } from '../../src/model/messages.js';
import { proxyFor } from '../../src/model/proxy.js';
import { freshFolder } from '../sandbox/programs.js';
import { say, startScriptedServer, type ScriptedServer } from './scripted-server.js';

describe('the proxy for an address', () => {
  const proxy = 'http://proxy:3128/';
  it.each([
    ['https://api.example.com/v1', { HTTPS_PROXY: 'http://proxy:3128' }, proxy],
    ['https://api.example.com/v1', { https_proxy: 'proxy:3128', HTTPS_PROXY: 'http://other' }, proxy],
    ['https://api.example.com/v1', { HTTP_PROXY: 'http://proxy:3128' }, null],
    ['http://api.example.com/v1', { HTTP_PROXY: 'http://proxy:3128' }, proxy],
    ['https://api.example.com/v1', { ALL_PROXY: 'http://proxy:3128' }, proxy],
    ['https://api.example.com/v1', { HTTPS_PROXY: '', ALL_PROXY: 'http://proxy:3128' }, proxy],
    ['https://api.example.com/v1', {}, null],
    ['https://api.example.com/v1', { HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: 'example.com' }, null],
    ['https://api.example.com/v1', { HTTPS_PROXY: 'http://proxy:3128', no_proxy: 'a.b, .example.com' }, null],
    ['https://api.example.com/v1', { HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: '*.example.com' }, null],
    ['https://api.example.com/v1', { HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: '*' }, null],
    ['https://api.example.com/v1', { HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: 'ample.com' }, proxy],
    ['https://api.example.com/v1', { HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: 'example.com:443' }, null],
    ['https://api.example.com/v1', { HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: 'example.com:80' }, proxy],
    ['https://10.1.2.3/v1', { HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: '10.0.0.0/8' }, null],
    ['https://11.1.2.3/v1', { HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: '10.0.0.0/8,11.1.2.4' }, proxy],
    ['https://[2001:db8::1]/v1', { HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: '2001:db8::/32' }, null],
    ['http://127.0.0.1:4/v1', { HTTP_PROXY: 'http://proxy:3128', ALL_PROXY: 'http://proxy:3128' }, null],
    ['http://localhost:4/v1', { HTTP_PROXY: 'http://proxy:3128' }, null],
  ])('%s with %j is %s', (address, env, expected) => {
    expect(proxyFor(new URL(address), env)?.href ?? null).toBe(expected);
  });
});

it.each([
  ['127.0.0.1:7233', true],
  ['localhost', true],
  ['a.localhost:1', true],
  ['[::1]:7233', true],
  ['::1', true],
  ['127.0.0.1.example.com:1', false],
  ['temporal:7233', false],
  ['10.0.0.1', false],
])('%s is of this machine: %s', (address, expected) => {
  expect(isLoopback(address)).toBe(expected);
});

it.each([
  ['mongodb://assay:se:c@ret@host:27017/db?authSource=x', 'mongodb://assay:***@host:27017/db'],
  ['mongodb+srv://assay:a@host/', 'mongodb+srv://assay:***@host/'],
  ['mongodb://host:27017/?proxyPassword=secret', 'mongodb://host:27017/'],
  ['mongodb://assay@host:27017/', 'mongodb://assay@host:27017/'],
  ['http://token@proxy:3128', 'http://***@proxy:3128'],
  ['socks5://token@proxy:1080', 'socks5://***@proxy:1080'],
  ['https://host/@scope/name', 'https://host/@scope/name'],
])('%s is shown as %s', (url, shown) => {
  expect(shownAddress(url)).toBe(shown);
});

describe('a request to a model through a proxy', () => {
  const VARIABLES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'].flatMap((name) => [
    name,
    name.toLowerCase(),
  ]);
  const CHANGED = [...VARIABLES, 'SSL_CERT_FILE'];
  let model: ScriptedServer;
  let proxy: Server;
  let asked: string[];
  beforeEach(async () => {
    for (const name of CHANGED) vi.stubEnv(name, undefined);
    model = await startScriptedServer([{ blocks: [say('hello')] }]);
    asked = [];
    proxy = createServer((incoming, outgoing) => {
      const { method = '', url = '', headers } = incoming;
      asked.push(`${method} ${url} ${headers['proxy-authorization'] ?? ''}`);
      // the model is the only host that this proxy reaches
      const onward = request(`${model.url}${new URL(url).pathname}`, { method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      });
      incoming.pipe(onward);
    });
    await listening(proxy);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    proxy.closeAllConnections();
    proxy.close();
    await model.stop();
  });

  const turn = (baseUrl: string) =>
    requestTurn(
      { baseUrl, apiKey: 'key' },
      { model: 'other', system: ['s'], messages: messagesOf('Begin.', []), tools: [], maxTokens: 10 },
      { signal: new AbortController().signal, onEvent: () => undefined },
    );

  const faultOf = async (baseUrl: string): Promise<ModelFault> => {
    const error: unknown = await turn(baseUrl).catch((thrown: unknown) => thrown);
    if (!(error instanceof ModelFault)) throw new Error(`not a model fault: ${String(error)}`);
    expect(error).toMatchObject({ code: 'MODEL_UNREACHABLE', maybePaid: false });
    expect(error.message).not.toContain('secret');
    return error;
  };

  it('reaches an endpoint that only the proxy knows, with the login of the proxy', async () => {
    vi.stubEnv('HTTP_PROXY', `http://me:secret@127.0.0.1:${portOf(proxy)}`);
    expect((await turn('http://model.example.com')).content).toMatchObject([{ type: 'text', text: 'hello' }]);
    const login = Buffer.from('me:secret').toString('base64');
    expect(asked).toEqual([`POST http://model.example.com/v1/messages Basic ${login}`]);
  });

  it('sends a login that is one word', async () => {
    vi.stubEnv('HTTP_PROXY', `http://t%40ken@127.0.0.1:${portOf(proxy)}`);
    await turn('http://model.example.com');
    const login = Buffer.from('t@ken:').toString('base64');
    expect(asked).toEqual([`POST http://model.example.com/v1/messages Basic ${login}`]);
  });

  it('opens a tunnel to one that speaks TLS, and trusts what SSL_CERT_FILE names', async () => {
    const folder = freshFolder();
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=model.example.com', '-addext', 'subjectAltName=DNS:model.example.com'];
    const kind = ['-x509', '-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
    await execa('openssl', ['req', ...kind, ...subject, '-days', '2', '-keyout', key, '-out', cert]);
    const tls = createTlsServer({ key: await readFile(key), cert: await readFile(cert) }, (socket) => {
      socket.pipe(connect(portIn(model.url), '127.0.0.1')).pipe(socket);
      socket.on('error', () => undefined);
    });
    await listening(tls);
    proxy.on('connect', ({ url = '' }: IncomingMessage, socket: Duplex) => {
      asked.push(`CONNECT ${url}`);
      const onward = connect(portOf(tls), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 ok\r\n\r\n');
        socket.pipe(onward).pipe(socket);
      });
      for (const each of [socket, onward]) each.on('error', () => undefined);
    });
    vi.stubEnv('HTTPS_PROXY', `http://127.0.0.1:${portOf(proxy)}`);
    expect((await faultOf('https://model.example.com')).message).toContain('SSL_CERT_FILE');
    vi.stubEnv('SSL_CERT_FILE', cert);
    // connections are kept by the proxy that they go through
    vi.stubEnv('HTTPS_PROXY', `http://me:other@127.0.0.1:${portOf(proxy)}`);
    expect((await turn('https://model.example.com')).content).toMatchObject([{ text: 'hello' }]);
    expect(new Set(asked)).toEqual(new Set(['CONNECT model.example.com:443']));
    tls.close();
  });

  it('names a proxy that refuses the tunnel', async () => {
    proxy.on('connect', (_: IncomingMessage, socket: Duplex) => {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    });
    vi.stubEnv('HTTPS_PROXY', `http://me:secret@127.0.0.1:${portOf(proxy)}`);
    const { message } = await faultOf('https://model.example.com');
    expect(message).toContain(`http://me:***@127.0.0.1:${portOf(proxy)}`);
    expect(message).toContain('407');
  });

  it.each([
    ['http://me:secret@127.0.0.1:9', 'http://me:***@127.0.0.1:9'],
    ['http://secret@127.0.0.1:9', 'http://***@127.0.0.1:9'],
    ['socks4://127.0.0.1:9', 'not supported'],
    ['http://:::', 'no URL'],
  ])('says that %s does not lead there', async (address, said) => {
    vi.stubEnv('HTTP_PROXY', address);
    expect((await faultOf('http://model.example.com')).message).toContain(said);
  });
});

const portIn = (url: string): number => Number(new URL(url).port);

async function listening(server: NetServer): Promise<void> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
}

function portOf(server: NetServer): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it does not listen');
  return address.port;
}
