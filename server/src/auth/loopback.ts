// With --dev the server accepts any user name without proof. So it only answers to host names that mean this machine.
// A page of a foreign name that was rebound to 127.0.0.1 would have the server's own origin.

import { isIP } from 'node:net';
import { SetupError } from '../base/setup-error.ts';

/** Whether the server answers requests with this `Host`. */
export type HostRule = (host: string | undefined) => boolean;

export const anyHost: HostRule = () => true;

function isLoopbackName(name: string): boolean {
  if (name === 'localhost' || name.endsWith('.localhost') || name === '[::1]') return true;
  return isIP(name) === 4 && name.startsWith('127.');
}

/** The name in a `Host` header, without its port; '' if it has none. */
function nameOf(host: string): string {
  const match = /^(\[[0-9a-f:.]+\]|[^:[\]/@\s]+)(?::\d{1,5})?$/i.exec(host);
  return (match?.[1] ?? '').toLowerCase().replace(/\.$/, '');
}

/** Whether a host, perhaps with a port, is this machine. */
export function isLoopbackHost(host: string): boolean {
  return isLoopbackName(nameOf(host));
}

/** Accepts loopback names and addresses, and the names given by the operator. */
export function loopbackHosts(named: readonly string[]): HostRule {
  const more = new Set(named.map((name) => name.toLowerCase()));
  return (host) => {
    if (host === undefined) return false;
    const name = nameOf(host);
    return name !== '' && (isLoopbackName(name) || more.has(name));
  };
}

/** Throws if a development server would listen to other machines, unless the operator has named its hosts. */
export function checkDevAddress(address: string, named: readonly string[]): void {
  const name = address.includes(':') && !address.startsWith('[') ? `[${address}]` : address;
  if (isLoopbackHost(name) || named.length > 0) return;
  throw new SetupError(
    `--dev accepts any user name without proof, and --host ${address} is open to other machines. Leave --host out, or name the hosts that browsers use: --dev-host NAME.`,
  );
}
