import { proxyFor } from '../../model/proxy.js';

/**
 * Arguments that lead Maven through the proxy of the environment, which it does not read itself. A login is left to
 * its own settings.
 */
export function mavenProxy(env: NodeJS.ProcessEnv): string[] {
  const proxy = proxyFor(new URL('https://repository.invalid/'), env);
  if (proxy === null || !/^https?:$/.test(proxy.protocol)) return [];
  const port = proxy.port || (proxy.protocol === 'https:' ? '443' : '80');
  const direct = (env['no_proxy'] || env['NO_PROXY'] || '').split(/[\s,]+/).filter((name) => name !== '');
  const names = direct.map((name) => name.replace(/^\*?\./, '')).flatMap((name) => [name, `*.${name}`]);
  return [
    ...['http', 'https'].flatMap((scheme) => [
      `-D${scheme}.proxyHost=${proxy.hostname}`,
      `-D${scheme}.proxyPort=${port}`,
    ]),
    ...(names.length === 0 ? [] : [`-Dhttp.nonProxyHosts=${names.join('|')}`]),
  ];
}
