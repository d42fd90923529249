/** Codes of failures before a request can have been sent: nothing was charged. */
export const NOT_CONNECTED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Codes of a certificate that is not trusted: the connection ends before the request. */
export const NOT_TRUSTED: ReadonlySet<string> = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** A request to a model that was not sent, with the reason for a person. */
export class UnsentRequest extends Error {
  override readonly name = 'UnsentRequest';
}

/** Finds the error itself somewhere in the chain of causes. */
export function unsentIn(error: unknown): UnsentRequest | null {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 6; at = at.cause, depth++)
    if (at instanceof UnsentRequest) return at;
  return null;
}

/** The system's code somewhere in the chain of causes. */
export function codeIn(error: unknown): string | null {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 6; at = at.cause, depth++) {
    if ('code' in at && typeof at.code === 'string') return at.code;
    if (at instanceof AggregateError) {
      const inner = at.errors.map(codeIn).find((code) => code !== null);
      if (inner !== undefined) return inner;
    }
  }
  return null;
}
