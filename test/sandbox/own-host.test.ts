import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openSandbox } from '../../src/sandbox/sandbox.js';
import { programOnPath } from '../../src/sandbox/tiers/launch.js';
import { lacks } from '../lacks.js';
import { pythonCommand, requestFor, TIERS } from './programs.js';

/** Two processes, of which one listens on this host's name and the other finds it by every name, as ranks do. */
const RENDEZVOUS = `
import os, socket
family = getattr(socket, os.environ["FAMILY"])
def address(name, port):
    return socket.getaddrinfo(name, port, family, socket.SOCK_STREAM)[0][4]
server = socket.socket(family, socket.SOCK_STREAM)
server.bind(address(socket.gethostname(), 0))
server.listen()
port = server.getsockname()[1]
names = ["assay", "localhost", socket.gethostname()]
if os.fork() == 0:
    for name in names:
        with socket.create_connection(address(name, port)[:2]) as link:
            link.sendall(("met by " + name).encode())
    os._exit(0)
for name in names:
    link, peer = server.accept()
    with link: print(link.makefile().read(), socket.getnameinfo(peer, 0)[0])
assert os.wait()[1] == 0
`;

const FAMILIES = ['AF_INET', 'AF_INET6'].filter(
  (family) => !lacks(family === 'AF_INET6' && !existsSync('/proc/net/if_inet6'), 'addresses of IPv6'),
);

describe.each(TIERS.filter((tier) => tier < 'D'))('tier %s', (tier) => {
  it.each(FAMILIES)('lets two processes meet by the names of their host: %s', async (family) => {
    const base = requestFor(pythonCommand(RENDEZVOUS));
    const sandbox = await openSandbox({ tier });
    const { log, ending } = await sandbox.run({ ...base, env: { ...base.env, FAMILY: family } });
    const names = ['assay', 'localhost', 'assay'];
    expect(log).toBe(names.map((name) => `met by ${name} localhost\n`).join(''));
    expect(ending).toEqual({ kind: 'exited', code: 0 });
  });

  it('knows its own names and no others of its host', async () => {
    const { log } = await (await openSandbox({ tier })).run(requestFor('cat /etc/hosts'));
    expect(log).toBe('127.0.0.1 localhost assay\n::1 localhost assay\n');
  });
});

const prlimit = programOnPath('prlimit');
const cannotLimit = lacks(prlimit === null, 'limits on locked memory, which need prlimit');
describe.skipIf(cannotLimit).each(TIERS)('tier %s', (tier) => {
  it('lets a run lock as much memory as its host allows', async () => {
    const limit = (...words: string[]): string =>
      execFileSync(prlimit ?? '', ['--pid', String(process.pid), ...words], { encoding: 'utf8' }).trim();
    const [soft = '', hard = ''] = limit('--memlock', '--noheadings', '--raw', '--output', 'SOFT,HARD').split(
      /\s+/,
    );
    limit('--memlock=65536:');
    try {
      const { log } = await (await openSandbox({ tier })).run(requestFor('ulimit -S -l; ulimit -v'));
      const [locked, addresses] = log.split('\n');
      const allowed = hard === 'unlimited' ? hard : String(Number(hard) / 1024);
      // root may allow more, where nothing has taken that from it
      expect([allowed, 'unlimited']).toContain(locked);
      expect(addresses).toBe('unlimited');
    } finally {
      limit(`--memlock=${soft}:`);
    }
  });
});
