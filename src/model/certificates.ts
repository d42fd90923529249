import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { messageOf } from '../domain/errors.js';
import { UnsentRequest } from './unsent-request.js';

const PEM = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/**
 * Certificates that are trusted where SSL_CERT_FILE or SSL_CERT_DIR names more than Node's own: those, Node's and those
 * of NODE_EXTRA_CA_CERTS. Null where neither is set, so that Node's defaults hold.
 * @throws UnsentRequest when one cannot be read
 */
export async function trustedCertificates(
  env: Readonly<Record<string, string | undefined>>,
): Promise<string[] | null> {
  const { SSL_CERT_FILE: file, SSL_CERT_DIR: folders, NODE_EXTRA_CA_CERTS: extra } = env;
  if (!file && !folders) return null;
  const named = [
    ...(file ? await certificatesIn('SSL_CERT_FILE', file) : []),
    ...(extra ? await certificatesIn('NODE_EXTRA_CA_CERTS', extra) : []),
  ];
  for (const folder of (folders ?? '').split(':').filter((each) => each !== ''))
    for (const name of await readdir(folder).catch(() => []))
      named.push(...((await readFile(join(folder, name), 'latin1').catch(() => '')).match(PEM) ?? []));
  return [...new Set([...rootCertificates, ...named])];
}

async function certificatesIn(variable: string, file: string): Promise<string[]> {
  try {
    return (await readFile(file, 'latin1')).match(PEM) ?? [];
  } catch (error) {
    throw new UnsentRequest(`${variable} names certificates that cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
