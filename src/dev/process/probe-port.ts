import { connect } from 'node:net';
import { messageOf } from '../../domain/errors.js';

/**
 * Checks that something listens there. Clients of Temporal and MongoDB wait long for a port that nothing listens on;
 * a bare connection is refused at once.
 * @throws Error when nothing does
 */
export function probePort(address: string, timeoutMs: number): Promise<void> {
  const at = address.lastIndexOf(':');
  const port = Number(address.slice(at + 1));
  if (at < 1 || !Number.isInteger(port) || port < 1 || port > 65_535) {
    return Promise.reject(new Error(`"${address}" is not host:port`));
  }
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address.slice(0, at).replace(/^\[|\]$/g, ''), port, timeout: timeoutMs });
    const fail = (reason: string): void => {
      socket.destroy();
      reject(new Error(`nothing answers at ${address}: ${reason}`));
    };
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('timeout', () => fail('timeout'));
    socket.once('error', (error) => fail(messageOf(error)));
  });
}
