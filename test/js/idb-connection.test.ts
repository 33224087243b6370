/** The states of a connection to IndexedDB. What it does in them: test/contract/storage.ts and upgrade.ts, in browsers. */
import { expect, test } from 'vitest';
import { type ConnectionState, isValid, next } from '../../js/host/idb-connection.ts';

const names = ['idle', 'opening', 'open', 'leaving', 'suspended', 'closed'] as const;
const ways = (from: (typeof names)[number]) => names.filter((to) => isValid(from, to));

test('a connection that is closed stays so, and any other can be closed', () => {
  expect(ways('closed')).toEqual([]);
  for (const from of names) expect(isValid(from, 'closed')).toBe(from !== 'closed');
});

test('what a newer release waits for is only closed', () => {
  expect(ways('leaving')).toEqual(['closed']);
});

test('only an attempt to open makes a connection, and only one that was asked for', () => {
  expect(names.filter((from) => isValid(from, 'open'))).toEqual(['opening']);
  expect(names.filter((from) => isValid(from, 'opening'))).toEqual(['idle']);
});

test('a way that is none is a mistake of this package', () => {
  const closed: ConnectionState = { type: 'closed' };
  expect(() => next(closed, { type: 'idle' })).toThrow(/closed cannot be idle/);
});
