import { Agent, ProxyAgent, fetch, type Dispatcher } from 'undici';
import { messageOf } from '../domain/errors.js';
import { shownAddress, withoutPassword } from '../domain/text/redaction.js';
import { trustedCertificates } from './certificates.js';
import { codeIn, NOT_CONNECTED, UnsentRequest } from './unsent-request.js';
import { proxyFor } from './proxy.js';

/** Connections are kept for the requests of all sessions, by the proxy that they go through. */
const dispatchers = new Map<string, Dispatcher>();

/**
 * Fetches as the SDK of the provider asks, through the proxy that the environment names for the address, if any.
 * Node's own `fetch` obeys proxies in its newest versions only, and then also on the way to this machine itself.
 * @throws UnsentRequest when the proxy cannot be used, cannot be reached or refuses
 */
export async function proxiedFetch(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
  const url = new URL(input instanceof Request ? input.url : input);
  const proxy = proxyIn(url);
  const dispatcher = await dispatcherFor(url, proxy);
  try {
    const response = await fetch(url, {
      method: init.method ?? 'GET',
      headers: [...new Headers(init.headers)],
      body: typeof init.body === 'string' ? init.body : null,
      signal: init.signal ?? null,
      dispatcher,
    });
    const { status, statusText, headers, body } = response;
    return new Response(body, { status, statusText, headers: [...headers] });
  } catch (error) {
    throw proxy === null ? error : (refusalOf(proxy, error) ?? error);
  }
}

/** @throws UnsentRequest when the variable holds no address */
function proxyIn(url: URL): URL | null {
  try {
    return proxyFor(url, process.env);
  } catch {
    throw new UnsentRequest(
      'a proxy variable of the environment (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY) is no URL',
    );
  }
}

/** @throws UnsentRequest */
async function dispatcherFor(url: URL, proxy: URL | null): Promise<Dispatcher> {
  // an http endpoint is asked for by its whole address: proxies refuse tunnels to other ports than those of TLS
  const tunnels = url.protocol === 'https:';
  const key = `${proxy?.href ?? ''} ${String(tunnels)}`;
  const kept = dispatchers.get(key);
  if (kept !== undefined) return kept;
  const ca = await trustedCertificates(process.env);
  const tls = ca === null ? {} : { ca };
  const made =
    proxy === null
      ? new Agent({ connect: tls })
      : new ProxyAgent({
          uri: uriOf(proxy),
          ...tokenOf(proxy),
          proxyTunnel: tunnels,
          requestTls: tls,
          proxyTls: tls,
        });
  dispatchers.set(key, made);
  return made;
}

/** The login of an HTTP proxy that has a name and no password: the client sends none for it by itself. */
function tokenOf({ protocol, username, password }: URL): { token?: string } {
  if (username === '' || password !== '' || !protocol.startsWith('http')) return {};
  return { token: `Basic ${Buffer.from(`${decodeURIComponent(username)}:`).toString('base64')}` };
}

/** @throws UnsentRequest */
function uriOf(proxy: URL): string {
  // names are resolved by the proxy in either case
  const uri = proxy.href.replace(/^socks5h:/, 'socks5:');
  if (/^(https?|socks5?):/.test(uri)) return uri;
  throw new UnsentRequest(`the proxy ${shownAddress(proxy.href)} is of a kind that is not supported`);
}

/** A failure of the proxy itself as an error that names it; null for one of the endpoint behind it. */
function refusalOf(proxy: URL, error: unknown): UnsentRequest | null {
  const causes = causesOf(error);
  const refused = causes.find((cause) => /^Proxy response \(\d+\)|socks/i.test(messageOf(cause)));
  const code = codeIn(error);
  if (refused === undefined && (code === null || !NOT_CONNECTED.has(code))) return null;
  const said = withoutPassword(proxy.href, messageOf(refused ?? causes.at(-1)));
  return new UnsentRequest(`the proxy ${shownAddress(proxy.href)} does not lead there: ${said}`, {
    cause: error,
  });
}

function causesOf(error: unknown): unknown[] {
  const causes: unknown[] = [];
  for (
    let at: unknown = error;
    at !== undefined && causes.length < 6;
    at = at instanceof Error ? at.cause : undefined
  )
    causes.push(at);
  return causes;
}
