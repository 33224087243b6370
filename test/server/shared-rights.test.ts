// Goal: a change of a user's rights is read once, however many sockets the user has, and no socket goes by rights from before
// the change that it heard of. Method: the reads of a database that is controlled, and the real sockets and hub over it.

import { afterEach, expect, test } from 'vitest';
import type { Queryable } from '../../server/src/db/database.ts';
import { SharedRights } from '../../server/src/poke/shared-rights.ts';
import type { Caller } from '../../server/src/rights/rights.ts';
import { terminateAll } from './support/ear.ts';
import { hello, PokeWorld } from './support/poke-world.ts';

afterEach(terminateAll);

interface Read {
  readonly began: number;
  answer(...realms: string[]): void;
  fail(): void;
}

/** The reads that were begun, which the test answers. */
class Reads {
  readonly begun: Read[] = [];
  readonly database = {
    query: () =>
      new Promise((resolve, reject) => {
        this.begun.push({
          began: performance.now(),
          answer: (...realms) => {
            const members = JSON.stringify(realms.map((realm) => [realm, 'reader']));
            resolve([{ members, founded: '[]', invitations: '[]', invited: '0', version: null }]);
          },
          fail: () => reject(new Error('by order of the test')),
        });
      }),
  } as unknown as Queryable;

  async next(count: number): Promise<Read> {
    await expect.poll(() => this.begun.length).toBe(count);
    return this.begun[count - 1] as Read;
  }
}

const caller = (id: string, grants: Readonly<Record<string, 'read' | 'write'>> = {}): Caller => ({
  ...{ id, expires: null },
  grants: new Map(Object.entries({ [`user:${id}`]: 'write' as const, ...grants })),
});

test('those who ask at once share one read and one set; others have their own', async () => {
  const reads = new Reads();
  const rights = new SharedRights(reads.database);
  const asked = Array.from({ length: 50 }, () => rights.realmsOf(caller('anna')));
  const others = [caller('bo'), caller('anna', { news: 'read' })].map((of) => rights.realmsOf(of));
  await reads.next(3);
  for (const read of reads.begun) read.answer('r');
  const [first, ...rest] = await Promise.all(asked);
  expect([...(first ?? [])].sort()).toEqual(['r', 'user:anna']);
  for (const each of rest) expect(each).toBe(first);
  expect([...((await others[1]) ?? [])].sort()).toEqual(['news', 'r', 'user:anna']);
  expect(reads.begun).toHaveLength(3);
});

test('who asks while a read is under way gets the next one', async () => {
  const reads = new Reads();
  const rights = new SharedRights(reads.database);
  const before = rights.realmsOf(caller('anna'));
  const read = await reads.next(1);
  const [after, too] = [rights.realmsOf(caller('anna')), rights.realmsOf(caller('anna'))];
  read.answer('old');
  expect([...(await before)]).toContain('old');
  (await reads.next(2)).answer('new');
  expect([...(await after)]).toContain('new');
  expect(await too).toBe(await after);
});

test('a read that fails is told to all who share it, and is read again', async () => {
  const reads = new Reads();
  const rights = new SharedRights(reads.database);
  const asked = [rights.realmsOf(caller('anna')), rights.realmsOf(caller('anna'))];
  const ended = Promise.allSettled(asked);
  (await reads.next(1)).fail();
  expect((await ended).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  const again = rights.realmsOf(caller('anna'));
  (await reads.next(2)).answer('r');
  expect([...(await again)]).toContain('r');
});

test('rights that take long to read rest for as long before they are read again', async () => {
  const reads = new Reads();
  const rights = new SharedRights(reads.database);
  const first = rights.realmsOf(caller('anna'));
  const read = await reads.next(1);
  await expect.poll(() => performance.now() - read.began).toBeGreaterThan(30);
  const took = performance.now() - read.began;
  read.answer('r');
  await first;
  const ended = performance.now();
  const second = rights.realmsOf(caller('anna'));
  // Another user does not wait.
  const other = rights.realmsOf(caller('bo'));
  const [, of] = [await reads.next(2), reads.begun[1]];
  expect((of?.began ?? 0) - ended).toBeLessThan(took * 9);
  of?.answer();
  await other;
  const later = await reads.next(3);
  expect(later.began - ended).toBeGreaterThan(Math.min(took * 9, 900));
  later.answer();
  await second;
});

test('a change is read once for all sockets of a user, and each hears what comes then', async () => {
  const world = new PokeWorld();
  await world.listen();
  try {
    const token = { user: 'anna', realms: ['a', 'b'] };
    const ears = await Promise.all(Array.from({ length: 20 }, () => world.open()));
    for (const [i, ear] of ears.entries()) ear.hello(hello(`c${i}`, ['cities'], token));
    for (const ear of ears) await ear.hears(({ type }) => type === 'ready');
    expect(world.hub.listeners.size).toBe(20);
    const [first] = [...world.hub.listeners].map(({ realms }) => realms);
    expect([...world.hub.listeners].filter(({ realms }) => realms === first).length).toBe(20);
    const before = world.rightsReads;
    world.grant('anna', '2', 'this');
    for (const ear of ears)
      await ear.hears(({ type, revision }) => type === 'poke' && revision === 0);
    expect(world.rightsReads - before).toBe(1);
    world.commit('b', ['cities'], 'c0');
    for (const ear of ears.slice(1)) await ear.hears(({ realm }) => realm === 'b');
    expect(ears[0]?.heard.some(({ realm }) => realm === 'b')).toBe(false);
  } finally {
    await world.close();
  }
});
