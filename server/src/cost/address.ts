// The address of a request. For IPv6 the 64-bit network counts, because its owner has all of its addresses.

import { isIPv6 } from 'node:net';

function network(address: string): string {
  const [plain = ''] = address.split('%', 1);
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.toLowerCase().split('::', 2);
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...Array<string>(gap).fill('0'), ...after];
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}

/**
 * The address that the limits count by. Behind a trusted proxy it is the last one in `x-forwarded-for`, which the
 * proxy itself has written; the caller may have invented the others.
 */
export function addressOf(
  remote: string | undefined,
  forwarded: string | readonly string[] | undefined,
  trustProxy: boolean,
): string {
  const names = typeof forwarded === 'string' ? forwarded : (forwarded ?? []).join(',');
  const last = names.split(',').at(-1)?.trim() ?? '';
  return network(trustProxy && last !== '' ? last : (remote ?? ''));
}
