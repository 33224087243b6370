/** The states of a connection to IndexedDB. What it does in them: test/contract/storage.ts and upgrade.ts, in browsers. */
import { expect, test } from 'vitest';
import { type ConnectionState, isValid, next } from '../../js/host/idb-connection.ts';

const names = ['idle', 'opening', 'open', 'leaving', 'suspended', 'closed'] as const;
const ways = (from: (typeof names)[number]) => names.filter((to) => isValid(from, to));

test('a closed connection stays closed, and any other can be closed', () => {
  expect(ways('closed')).toEqual([]);
  for (const from of names) expect(isValid(from, 'closed')).toBe(from !== 'closed');
});

test('a connection that a newer release waits for can only be closed', () => {
  expect(ways('leaving')).toEqual(['closed']);
});

test('only a requested attempt to open makes a connection', () => {
  expect(names.filter((from) => isValid(from, 'open'))).toEqual(['opening']);
  expect(names.filter((from) => isValid(from, 'opening'))).toEqual(['idle']);
});

test('an invalid transition is a mistake of this package', () => {
  const closed: ConnectionState = { type: 'closed' };
  expect(() => next(closed, { type: 'idle' })).toThrow(/closed cannot be idle/);
});
