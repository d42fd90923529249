import Anthropic from '@anthropic-ai/sdk';
import type { Usage } from '../domain/session/conversation.js';
import { AssayError, messageOf, type ErrorCode } from '../domain/errors.js';
import { codeIn, NOT_CONNECTED, NOT_TRUSTED, unsentIn } from './unsent-request.js';

/** A model request that brought no reply. */
export class ModelFault extends AssayError {
  constructor(
    code: ErrorCode,
    message: string,
    /** Milliseconds that the provider asks to wait; null where it did not say. */
    readonly retryAfterMs: number | null,
    /** The provider may have worked, and may charge, for a reply that never arrived whole. */
    readonly maybePaid: boolean,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
  }

  /** The usage at most, by the events of a reply that broke off; null where none told of it. */
  usage: Usage | null = null;
  /** True where the provider refused the request for its length. */
  tooLarge = false;

  withUsage(usage: Usage | null): this {
    this.usage = usage;
    return this;
  }
}

/** The fault of a stream that ended before its message did. */
export const brokenOff = (): ModelFault =>
  new ModelFault('MODEL_UNREACHABLE', "The endpoint's reply ended before it was whole", null, true);

/** The fault of an endpoint whose reply does not end. */
export const tooLong = (bytes: number): ModelFault =>
  new ModelFault('MODEL_REQUEST_REFUSED', `The endpoint's reply is longer than ${bytes} bytes`, null, true);

/** Someone on the way gave up waiting for an answer that may still have been written. */
const GAVE_UP = new Set([408, 504, 524]);
const OVERLOADED = new Set(['overloaded_error', 'rate_limit_error']);
const REFUSED = new Set([
  'invalid_request_error',
  'authentication_error',
  'permission_error',
  'not_found_error',
  'billing_error',
  'request_too_large',
]);

/** How providers say that a prompt does not fit; the API has no type of error for it. */
const TOO_LARGE =
  /prompt is too long|exceeds? (?:the )?(?:model'?s? )?(?:maximum )?context|context (?:length|window)|too many (?:input )?tokens|maximum context/i;

/** Translates an error of the SDK for retries; never repeats the key. */
export function modelFaultOf(error: unknown, apiKey: string): ModelFault {
  if (error instanceof ModelFault) return error;
  const hide = (text: string): string =>
    (apiKey === '' ? text : text.replaceAll(apiKey, '[key]')).slice(0, 1000);
  if (error instanceof Anthropic.APIError && !(error instanceof Anthropic.APIConnectionError)) {
    return refusal(error, hide);
  }
  const reason = unsentIn(error);
  const code = codeIn(error);
  const distrusted = code !== null && NOT_TRUSTED.has(code);
  const unsent = reason !== null || distrusted || (code !== null && NOT_CONNECTED.has(code));
  const what = unsent
    ? 'The model endpoint cannot be reached'
    : 'The connection to the model endpoint broke off';
  const detail = reason?.message ?? `${messageOf(error)}${code === null ? '' : ` (${code})`}`;
  const hint = distrusted
    ? '; where a proxy opens TLS, name its certificate in SSL_CERT_FILE or NODE_EXTRA_CA_CERTS'
    : '';
  return new ModelFault('MODEL_UNREACHABLE', `${what}: ${hide(`${detail}${hint}`)}`, null, !unsent);
}

/** Fields that are read of an error of the SDK. */
interface ProviderError {
  readonly status: unknown;
  readonly headers: unknown;
  readonly type: string | null;
  readonly apiMessage: string | null;
  readonly message: string;
}

function refusal(error: ProviderError, hide: (text: string) => string): ModelFault {
  const status = typeof error.status === 'number' ? error.status : null;
  const said = hide(error.apiMessage ?? error.message);
  const wait = error.headers instanceof Headers ? retryAfter(error.headers) : null;
  // An error inside a stream comes after a status of 200: its type is all there is.
  if (status === null) {
    const type = error.type ?? '';
    if (REFUSED.has(type))
      return new ModelFault('MODEL_REQUEST_REFUSED', `The model endpoint refused: ${said}`, null, true);
    const code = OVERLOADED.has(type) ? 'MODEL_OVERLOADED' : 'MODEL_UNREACHABLE';
    return new ModelFault(code, `The model endpoint broke its reply off: ${said}`, wait, true);
  }
  const text = `The model endpoint answered ${status}: ${said}`;
  if (GAVE_UP.has(status)) return new ModelFault('MODEL_UNREACHABLE', text, wait, true);
  if (status === 409 || status === 429 || status >= 500)
    return new ModelFault('MODEL_OVERLOADED', text, wait, false);
  const refused = new ModelFault('MODEL_REQUEST_REFUSED', text, null, false);
  refused.tooLarge = status === 413 || (status === 400 && TOO_LARGE.test(said));
  return refused;
}

/** retry-after-ms, else retry-after in seconds or as a date; at most an hour. */
function retryAfter(headers: Headers): number | null {
  const exact = headers.get('retry-after-ms');
  const coarse = headers.get('retry-after');
  const candidates = [
    exact === null ? NaN : Number(exact),
    coarse === null ? NaN : Number(coarse) * 1000,
    coarse === null ? NaN : Date.parse(coarse) - Date.now(),
  ];
  const found = candidates.find((value) => Number.isFinite(value));
  return found === undefined ? null : Math.min(3_600_000, Math.max(0, Math.ceil(found)));
}
