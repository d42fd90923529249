import { Connection, type ConnectionOptions } from '@temporalio/client';
import { isLoopback } from '../../domain/network.js';

/**
 * Connects a client to a Temporal server. gRPC goes through the proxy of the environment even to this machine itself,
 * where no proxy leads; so it is told not to.
 */
export function openConnection(options: ConnectionOptions & { address: string }): Promise<Connection> {
  const direct = isLoopback(options.address) ? { channelArgs: { 'grpc.enable_http_proxy': 0 } } : {};
  return Connection.connect({ ...options, ...direct });
}
