// Which pages may send requests and open sockets, and how an upgrade is refused.

import type { Duplex } from 'node:stream';

export function refuseUpgrade(socket: Duplex, status: string): void {
  // After an upgrade request the server's own time limits no longer apply, and the other side may never close the
  // socket.
  socket.once('finish', () => socket.destroy());
  const later = status.startsWith('503') ? 'retry-after: 5\r\n' : '';
  socket.end(`HTTP/1.1 ${status}\r\n${later}connection: close\r\ncontent-length: 0\r\n\r\n`);
}

/** Whether the page's origin is allowed; programs other than browsers send none. */
export function originAllowed(
  origin: string | undefined,
  host: string | undefined,
  origins: ReadonlySet<string>,
): boolean {
  if (origin === undefined || origins.has(origin)) return true;
  if (!URL.canParse(origin)) return false;
  return host !== undefined && new URL(origin).host === host;
}
