/**
 * Schemes of proxies: a login of one word is a token there, where a database takes it for a name that it asks no
 * password of.
 */
const PROXY = /^(https?|socks[a-z0-9]*):\/\//i;

/** Returns an address without its password and its options, which may hold others. */
export function shownAddress(url: string): string {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(url)?.[0] ?? '';
  const rest = url.slice(scheme.length);
  const at = rest.lastIndexOf('@');
  const login = at === -1 ? '' : `${shownLogin(scheme, rest.slice(0, at))}@`;
  return `${scheme}${login}${rest.slice(at + 1).split('?')[0] ?? ''}`;
}

/** Returns true for a login without a colon that is a secret; with a slash it is no login, but a path with an @. */
function isToken(url: string, login: string): boolean {
  return PROXY.test(url) && !login.includes('/');
}

function shownLogin(scheme: string, login: string): string {
  const colon = login.indexOf(':');
  if (colon === -1) return isToken(scheme, login) ? '***' : login;
  return `${login.slice(0, colon)}:***`;
}

/** Removes a secret from a text; one of less than three characters would take the text apart, and stays. */
export function withoutSecret(secret: string, text: string): string {
  return secret.length > 2 ? text.replaceAll(secret, '***') : text;
}

/** Removes every part of the password of a URL from a text, however the URL was taken apart before it was quoted. */
export function withoutPassword(url: string, text: string): string {
  return passwordParts(url).reduce((shown, part) => shown.replaceAll(part, '***'), text);
}

/**
 * Removes the passwords of all addresses in an environment, such as those of proxies, from what a program that had it
 * printed.
 */
export function withoutPasswords(env: Readonly<Record<string, string>>, text: string): string {
  const words = Object.values(env).flatMap((value) => value.split(/\s+/));
  const addresses = words.filter((word) => word.includes('@') && !word.startsWith('/'));
  return addresses.reduce((shown, url) => withoutPassword(url, shown), text);
}

/**
 * Returns everything from the first colon of the login to the last @, or the whole login that is a token, and its
 * pieces, longest first.
 */
function passwordParts(url: string): string[] {
  const rest = url.replace(/^[a-z0-9+]*:\/\//i, '');
  const login = rest.slice(0, Math.max(0, rest.lastIndexOf('@')));
  const colon = login.indexOf(':');
  if (colon === -1 && !isToken(url, login)) return [];
  const password = login.slice(colon + 1);
  const pieces = [password, ...password.split(/[:@/?#]/)];
  const all = pieces.flatMap((piece) => [piece, decoded(piece)]);
  return [...new Set(all)].filter((piece) => piece.length > 2).sort((a, b) => b.length - a.length);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
