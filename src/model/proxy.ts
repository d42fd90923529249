import { BlockList, isIP } from 'node:net';
import { isLoopback } from '../domain/network.js';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy that the environment names for an address, as curl reads it: HTTPS_PROXY or HTTP_PROXY by the scheme of the
 * address, else ALL_PROXY, also in small letters, which win. Null where there is none, where NO_PROXY lists the host,
 * and for this machine itself.
 */
export function proxyFor(address: URL, env: Environment): URL | null {
  if (isLoopback(address.host) || isExempt(address, variable(env, 'no_proxy'))) return null;
  const named = variable(env, `${address.protocol.slice(0, -1)}_proxy`) || variable(env, 'all_proxy');
  if (named === '') return null;
  return new URL(named.includes('://') ? named : `http://${named}`);
}

function variable(env: Environment, name: string): string {
  return (env[name] || env[name.toUpperCase()] || '').trim();
}

/**
 * Returns true when NO_PROXY lists a host: by its name or that of a domain it is in (with or without a leading dot or
 * `*.`), with or without a port; by its IP address or a network in CIDR form; `*` lists all.
 */
function isExempt(address: URL, list: string): boolean {
  const host = address.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = address.port || (address.protocol === 'https:' ? '443' : '80');
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true;
      if (isIP(host) !== 0) return isAt(host, entry) || isAt(host, withoutPort(entry, port));
      const name = withoutPort(entry, port).replace(/^\*?\./, '');
      return host === name || host.endsWith(`.${name}`);
    });
}

/** The host of an entry whose port, if it has one, is this; an entry of another port matches no host. */
function withoutPort(entry: string, port: string): string {
  const [, host = '', own = ''] = /^(\[.*\]|[^:]*):(\d+)$/.exec(entry) ?? [];
  if (own === '') return entry.replace(/^\[|\]$/g, '');
  return own === port ? host.replace(/^\[|\]$/g, '') : ' ';
}

/** Returns true when an entry is an IP address or a network, and the host lies in it. */
function isAt(host: string, entry: string): boolean {
  const [network = '', bits] = entry.split('/');
  const family = isIP(network) === 6 ? 'ipv6' : 'ipv4';
  const widest = family === 'ipv6' ? 128 : 32;
  const prefix = bits === undefined ? widest : Number(bits);
  if (isIP(network) === 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > widest) return false;
  const list = new BlockList();
  list.addSubnet(network, prefix, family);
  return list.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
}
