import { Duplex, Readable, Writable } from 'node:stream';
import { AssayError, messageOf } from '../../domain/errors.js';

/** Does nothing with what it is given. */
export const ignore = (): void => undefined;

/** @throws AssayError INTERNAL when it is no stream to read */
export function readableOf(stream: unknown): Readable {
  if (stream instanceof Readable) return stream;
  throw new AssayError('INTERNAL', 'a pipe of a started process cannot be read');
}

/** A stream to write; one that refuses all where there is none. */
export function writableOf(stream: unknown): Writable {
  if (stream instanceof Writable || stream instanceof Duplex) return stream;
  return new Writable({
    write: (_chunk, _encoding, next) => next(new Error(messageOf('no input is connected'))),
  });
}

/** @throws AssayError INTERNAL when it is no stream of both directions */
export function duplexOf(stream: unknown): Duplex {
  if (stream instanceof Duplex) return stream;
  throw new AssayError('INTERNAL', 'an extra descriptor of a started process is not connected');
}
