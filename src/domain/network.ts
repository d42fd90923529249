/** Variables that name proxies and certificates, in either case. */
const NETWORK =
  /^(https?_proxy|all_proxy|no_proxy|ssl_cert_(file|dir)|requests_ca_bundle|curl_ca_bundle|node_extra_ca_certs)$/i;

/** Returns true for a variable that programs need to reach the network of their host: proxies and certificates. */
export function isNetworkVariable(name: string): boolean {
  return NETWORK.test(name);
}

/** The variables of an environment that programs need to reach the network of their host. */
export function networkVariables(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(env))
    if (value !== undefined && isNetworkVariable(name)) found[name] = value;
  return found;
}

/** Returns true for a host, or host:port, of this machine itself: no proxy leads there. */
export function isLoopback(address: string): boolean {
  const bracketed = /^\[(.*)\](?::\d+)?$/.exec(address)?.[1];
  const host = (bracketed ?? address.replace(/^([^:]*):\d+$/, '$1')).toLowerCase().replace(/\.$/, '');
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '::1' ||
    /^(::ffff:)?127(\.\d{1,3}){3}$/.test(host)
  );
}
