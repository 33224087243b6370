// Connections per address and in total. Behind a proxy all come from one address: the proxy limits them per address,
// and this server only limits the total.

import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { Counts } from '../base/counts.ts';
import { addressOf } from './address.ts';

export interface ConnectionLimits {
  readonly connections: number;
  readonly connectionsPerAddress: number;
}

const kRefusal =
  'HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\ncontent-length: 0\r\n\r\n';

/** The open connections of a server. A connection beyond the limits gets an answer that says so, and is closed. */
export function connectionsOf(
  server: Server,
  { connections, connectionsPerAddress }: ConnectionLimits,
  trustProxy: boolean,
): ReadonlySet<Socket> {
  const open = new Set<Socket>();
  const ofAddress = new Counts();
  server.on('connection', (socket: Socket) => {
    const address = addressOf(socket.remoteAddress, undefined, false);
    const isOne = !trustProxy && ofAddress.of(address) >= connectionsPerAddress;
    if (isOne || open.size >= connections) {
      socket.on('error', () => socket.destroy());
      socket.end(kRefusal, () => socket.destroy());
      return;
    }
    open.add(socket);
    ofAddress.add(address);
    socket.once('close', () => {
      open.delete(socket);
      ofAddress.remove(address);
    });
  });
  return open;
}
