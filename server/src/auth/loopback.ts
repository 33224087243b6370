// With --dev, whoever reaches the server is whom they say. So it answers under names that mean this machine only: a page
// of a foreign name that has been rebound to 127.0.0.1 would be of the server's own origin.

import { isIP } from 'node:net';
import { SetupError } from '../base/setup-error.ts';

/** Whether the `Host` of a request is one that this server answers under. */
export type HostRule = (host: string | undefined) => boolean;

export const anyHost: HostRule = () => true;

function isLoopbackName(name: string): boolean {
  if (name === 'localhost' || name.endsWith('.localhost') || name === '[::1]') return true;
  return isIP(name) === 4 && name.startsWith('127.');
}

/** The name of a `Host` header, without its port; '' where it is none. */
function nameOf(host: string): string {
  const match = /^(\[[0-9a-f:.]+\]|[^:[\]/@\s]+)(?::\d{1,5})?$/i.exec(host);
  return (match?.[1] ?? '').toLowerCase().replace(/\.$/, '');
}

/** Loopback names and addresses, and those that the operator has named. */
export function loopbackHosts(named: readonly string[]): HostRule {
  const more = new Set(named.map((name) => name.toLowerCase()));
  return (host) => {
    if (host === undefined) return false;
    const name = nameOf(host);
    return name !== '' && (isLoopbackName(name) || more.has(name));
  };
}

/** Throws where a development server would listen to other machines, unless the operator has named how they call it. */
export function checkDevAddress(address: string, named: readonly string[]): void {
  const name = address.includes(':') && !address.startsWith('[') ? `[${address}]` : address;
  if (isLoopbackName(nameOf(name)) || named.length > 0) return;
  throw new SetupError(
    `--dev takes anybody for whom they say they are, and --host ${address} is open to other machines. Leave --host away, or name the hosts that browsers call the server by: --dev-host NAME.`,
  );
}
