// Goal: a socket gets the pokes of its last hello, from its answer on and without a gap, after one hello or many; a
// closed socket is forgotten. Method: real sockets to the real servePokes, relay and hub in this process, with
// control over the look-up of heads, so that a hello can be caught in the middle; and many random sockets against a
// naive model.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { limits } from '../../server/src/base/limits.ts';
import { Random } from '../js/model/random.ts';
import { Ear, terminateAll } from './support/ear.ts';
import { hello, PokeWorld, type Token } from './support/poke-world.ts';

// A missing poke must fail the test, not its time limit.
vi.setConfig({ testTimeout: 30_000 });

let world: PokeWorld;
beforeEach(async () => {
  world = new PokeWorld();
  await world.listen();
});
afterEach(async () => {
  terminateAll();
  await vi.waitFor(() => expect(world.audiences.listeners.size).toBe(0));
  // No realm is watched for closed sockets: nothing is read for them.
  const { queries } = world;
  world.catchUp();
  expect(world.queries).toBe(queries);
  await world.close();
});

const anna: Token = { user: 'anna', realms: ['a', 'b'] };
const readies = (ear: Ear) => ear.heard.filter(({ type }) => type === 'ready').length;
const ready = (ear: Ear, times = 1) => vi.waitFor(() => expect(readies(ear)).toBe(times));
const tablesOf = (ear: Ear) => ear.pokes().flatMap(({ tables }) => tables as string[]);

describe('ping', () => {
  const pongs = (ear: Ear) => ear.heard.filter(({ type }) => type === 'pong').length;
  const ping = (ear: Ear) => ear.socket.send('{"type":"ping"}');

  test('is answered by a socket that was greeted, which says that it is', async () => {
    const ear = await world.open();
    ear.hello(hello('c', ['one'], anna));
    expect(await ear.hears(({ type }) => type === 'ready')).toMatchObject({ features: ['ping'] });
    ping(ear);
    await vi.waitFor(() => expect(pongs(ear)).toBe(1));
    ping(ear);
    await vi.waitFor(() => expect(pongs(ear)).toBe(2));
    // It is still a listener.
    world.commit('a', ['one']);
    await ear.hears(({ type }) => type === 'poke');
  });

  test('is answered while a hello waits for the rights of its user', async () => {
    const ear = await world.open();
    ear.hello(hello('c', ['one'], anna));
    await ready(ear);
    world.hold();
    ear.hello(hello('c', ['one'], { user: 'anna', realms: ['a', 'new'] }));
    await vi.waitFor(() => expect(world.waiting).toBe(1));
    ping(ear);
    await vi.waitFor(() => expect(pongs(ear)).toBe(1));
    world.release();
    await ready(ear, 2);
  });

  test('is no hello', async () => {
    const ear = await world.open();
    ping(ear);
    expect(await ear.closed).toBe(4400);
  });

  test.each([
    ['as many as hellos are answered', limits.hellosAtOnce - 1, false],
    ['one more closes the socket', limits.hellosAtOnce, true],
  ])('%s', async (_name, count, isClosed) => {
    const ear = await world.open();
    ear.hello(hello('c', ['one'], anna));
    await ready(ear);
    // No time passes in which others would be allowed.
    const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now());
    try {
      for (let i = 0; i < count; i++) ping(ear);
      if (isClosed) expect(await ear.closed).toBe(4429);
      else await vi.waitFor(() => expect(pongs(ear)).toBe(count));
    } finally {
      clock.mockRestore();
    }
  });
});

describe('hello', () => {
  test('replaces all earlier hellos of the socket', async () => {
    const ear = await world.open();
    for (let i = 1; i <= 12; i++) {
      ear.hello(hello('c', [`table${i}`], anna));
      await ready(ear, i);
      expect(world.audiences.listeners.size).toBe(1);
    }
    for (let i = 1; i <= 12; i++) world.commit('a', [`table${i}`]);
    await ear.hears(({ type }) => type === 'poke');
    expect(tablesOf(ear)).toEqual(['table12']);
  });

  test('waits for the one before it, and at most four wait', async () => {
    const ear = await world.open();
    world.hold();
    for (const table of ['one', 'two', 'three', 'four']) ear.hello(hello('c', [table], anna));
    await vi.waitFor(() => expect(world.waiting).toBe(1));
    expect(readies(ear)).toBe(0);
    world.release();
    await ready(ear, 4);
    expect(world.audiences.listeners.size).toBe(1);
    for (const table of ['one', 'two', 'three', 'four']) world.commit('a', [table]);
    await ear.hears(({ type }) => type === 'poke');
    expect(tablesOf(ear)).toEqual(['four']);
  });

  test('closes the socket and frees all hellos when more than four wait', async () => {
    const ear = await world.open();
    world.hold();
    for (let i = 0; i < 5; i++) ear.hello(hello('c', ['one'], anna));
    expect(await ear.closed).toBe(4400);
    world.release();
    await vi.waitFor(() => expect(world.audiences.listeners.size).toBe(0));
  });

  test('leaves no listener and no watched realm when its socket closes meanwhile', async () => {
    const ear = await world.open();
    world.hold();
    ear.hello(hello('c', ['one'], anna));
    await vi.waitFor(() => expect(world.waiting).toBe(1));
    const left = vi.spyOn(world.audiences, 'leave');
    ear.socket.terminate();
    await ear.closed;
    // The server has seen the end by the time a later socket is ready.
    await world.open();
    world.release();
    await vi.waitFor(() => expect(left).toHaveBeenCalledTimes(1));
  });

  test('loses no poke while it replaces another one', async () => {
    const ear = await world.open();
    ear.hello(hello('c', ['one'], anna));
    await ready(ear);
    world.hold();
    // Of a realm without listeners, so that its head must be looked up.
    ear.hello(hello('c', ['one'], { user: 'anna', realms: ['a', 'new'] }));
    await vi.waitFor(() => expect(world.waiting).toBe(1));
    world.commit('a', ['one']);
    expect(await ear.hears(({ type }) => type === 'poke')).toMatchObject({
      realm: 'a',
      revision: 1,
    });
    world.release();
    await ready(ear, 2);
    world.commit('new', ['one']);
    await ear.hears(({ realm }) => realm === 'new');
    expect(world.audiences.listeners.size).toBe(1);
  });

  test('loses no delayed poke when it replaces another one', async () => {
    const ear = await world.open();
    ear.hello(hello('c', ['one'], anna));
    await ready(ear);
    world.commit('a', ['one']);
    await ear.hears(({ revision }) => revision === 1);
    world.commit('a', ['one']);
    ear.hello(hello('c', ['two'], anna));
    await ready(ear, 2);
    await ear.hears(({ revision }) => revision === 2);
  });

  test('ends a socket that had pokes before when it is refused', async () => {
    const ear = await world.open();
    ear.hello(hello('c', ['one'], anna));
    await ready(ear);
    ear.hello({ ...hello('c', ['one'], anna), token: 'none' });
    expect(await ear.closed).toBe(4401);
    await vi.waitFor(() => expect(world.audiences.listeners.size).toBe(0));
  });

  test('ends its socket when its heads cannot be read; the next one works', async () => {
    const ear = await world.open();
    world.hold();
    ear.hello(hello('c', ['one'], anna));
    await vi.waitFor(() => expect(world.waiting).toBe(1));
    world.release(new Error('by order of the test'));
    expect(await ear.closed).toBe(1011);
    expect(world.logged).toHaveLength(1);
    const next = await world.open();
    next.hello(hello('c', ['one'], anna));
    await ready(next);
  });
});

describe('a token', () => {
  test('ends the socket if it expires during the next hello, but not once replaced', async () => {
    const soon = Math.ceil(Date.now() / 1000) + 1;
    const [lasting, ending] = [await world.open(), await world.open()];
    for (const ear of [lasting, ending]) {
      ear.hello(hello('c', ['one'], { ...anna, expires: soon }));
      await ready(ear);
    }
    lasting.hello(hello('c', ['one'], anna));
    await ready(lasting, 2);
    world.hold();
    ending.hello(hello('c', ['one'], { user: 'anna', realms: ['new'] }));
    expect(await ending.closed).toBe(4401);
    world.release();
    world.commit('a', ['one']);
    await lasting.hears(({ type }) => type === 'poke');
    await vi.waitFor(() => expect(world.audiences.listeners.size).toBe(1));
  });

  test('ends the socket if it has expired when its hello is handled', async () => {
    const ear = await world.open();
    ear.hello(hello('c', ['one'], { ...anna, expires: 1 }));
    expect(await ear.closed).toBe(4401);
  });
});

describe('a change of rights', () => {
  const granted = (ear: Ear) => ear.pokes().filter(({ revision }) => revision === 0).length;
  const heardOf = (ear: Ear, table: string) =>
    ear.hears(({ type, tables }) => type === 'poke' && (tables as string[]).includes(table));

  test('by this node is sent once, and later reads take no poke away', async () => {
    const ear = await world.open();
    ear.hello(hello('c', ['one', 'two'], anna));
    await ready(ear);
    world.grant('anna', 'first', 'this');
    await vi.waitFor(() => expect(granted(ear)).toBe(1));
    world.commit('a', ['one']);
    world.catchUp();
    await heardOf(ear, 'one');
    world.catchUp();
    world.commit('a', ['two']);
    await heardOf(ear, 'two');
    expect(granted(ear)).toBe(1);
  });

  test.each([
    ['in a realm', 'c'],
    ['otherwise', null],
  ])('by another node, %s, is sent when that node says so', async (_, realm) => {
    const [ear, other] = [await world.open(), await world.open()];
    ear.hello(hello('c', ['one'], anna));
    other.hello(hello('d', ['one'], { user: 'bo', realms: ['a'] }));
    await ready(ear);
    await ready(other);
    world.notify('anna', realm);
    await vi.waitFor(() => expect(granted(ear)).toBe(1));
    world.commit('a', ['one']);
    await heardOf(other, 'one');
    expect(granted(other)).toBe(0);
  });

  test('by another node is sent when it is read, also after one by this node', async () => {
    const ear = await world.open();
    ear.hello(hello('c', ['one'], anna));
    await ready(ear);
    world.grant('anna', 'first', 'this');
    await vi.waitFor(() => expect(granted(ear)).toBe(1));
    world.grant('anna', 'second', 'another');
    world.catchUp();
    await vi.waitFor(() => expect(granted(ear)).toBe(2));
  });
});

test('ends a socket that does not answer a ping, and keeps the others', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const pinging = new PokeWorld();
  try {
    await pinging.listen();
    const alive = await new Ear(pinging.url).opened();
    const dead = await new Ear(pinging.url, { autoPong: false }).opened();
    for (let i = 1; i <= 3; i++) {
      const pinged = new Promise((resolve) => alive.socket.once('ping', resolve));
      vi.advanceTimersByTime(limits.socketPingEveryMs);
      await pinged;
      // Its pong has arrived when a hello sent after it is answered.
      alive.hello(hello('c', ['one'], anna));
      await ready(alive, i);
      if (i === 2) expect(await dead.closed).toBe(1006);
    }
    alive.socket.terminate();
    await vi.waitFor(() => expect(pinging.audiences.listeners.size).toBe(0));
  } finally {
    await pinging.close();
    vi.useRealTimers();
  }
});

test('ends a socket that reads too slowly; others still get pokes', async () => {
  const [slow, quick] = [await world.open(), await world.open()];
  for (const ear of [slow, quick]) {
    ear.hello(hello(ear === slow ? 'slow' : 'quick', ['one'], anna));
    await ready(ear);
  }
  slow.socket.pause();
  for (let revision = 1; world.audiences.listeners.size > 1; revision++) {
    expect(revision).toBeLessThan(20);
    world.commit('a', ['one'], 'somebody', ['x'.repeat(4 << 20)]);
    await quick.hears((message) => message.revision === revision);
  }
  slow.socket.resume();
  expect(await slow.closed).not.toBe(1000);
  world.commit('b', ['one']);
  await quick.hears(({ realm }) => realm === 'b');
});

test('reads a message of the maximum size; one byte more ends the socket', async () => {
  const text = JSON.stringify({ type: 'hello', ...hello('c', ['one'], anna) });
  const [ear, other] = [await world.open(), await world.open()];
  ear.socket.send(text + ' '.repeat(limits.socketMessageBytes - text.length));
  await ready(ear);
  other.socket.send(text + ' '.repeat(limits.socketMessageBytes - text.length + 1));
  expect(await other.closed).toBe(1009);
});

test.each([1, 2, 3])(
  'many random sockets get their own pokes and no others (seed %i)',
  async (seed) => {
    const random = new Random(seed);
    const realms = ['a', 'b', 'c'];
    const tables = ['x', 'y', 'z', 'notices'];
    /** The model of a socket: the scopes of its last answered hello, and the pokes that it must get. */
    interface Known {
      readonly ear: Ear;
      readonly client: string;
      asks: { readonly realms: readonly string[]; readonly tables: readonly string[] } | null;
      hellos: number;
      /** The latest revision that it must be poked for, by realm. */
      readonly owed: Map<string, number>;
      /** The pokes that it may get: by realm and table. */
      readonly allowed: Set<string>;
    }
    let open: Known[] = [];
    const some = <V>(list: readonly V[]) => list.filter(() => random.chance(0.5));
    const greet = async (known: Known) => {
      const asks = { realms: some(realms), tables: some(tables) };
      known.ear.hello(hello(known.client, asks.tables, { user: 'u', realms: asks.realms }));
      await ready(known.ear, ++known.hellos);
      known.asks = asks;
    };
    for (let round = 0; round < 12; round++) {
      for (let i = random.below(3); i > 0 && open.length < 8; i--) {
        const ear = await world.open();
        const client = `client${random.below(3)}`;
        open.push({ ear, client, asks: null, hellos: 0, owed: new Map(), allowed: new Set() });
      }
      await Promise.all(open.filter(() => random.chance(0.4)).map(greet));
      for (let i = random.below(6); i > 0; i--) {
        const touched = some(tables);
        const client = `client${random.below(3)}`;
        const { realm, revision } = world.commit(random.pick(realms), touched, client);
        for (const { asks, owed, allowed, ...known } of open) {
          if (!asks?.realms.includes(realm) || known.client === client) continue;
          if (!touched.some((table) => table === 'notices' || asks.tables.includes(table)))
            continue;
          owed.set(realm, revision);
          for (const table of touched) allowed.add(`${realm} ${table}`);
        }
      }
      for (const { ear, owed, allowed } of open) {
        for (const [realm, revision] of owed)
          await ear.hears((message) => message.realm === realm && message.revision === revision);
        const heard = ear
          .pokes()
          .flatMap(({ realm, tables: touched }) =>
            (touched as string[]).map((table) => `${realm} ${table}`),
          );
        expect(heard.filter((what) => !allowed.has(what))).toEqual([]);
      }
      const closing = open.filter(() => random.chance(0.2));
      for (const { ear } of closing)
        random.chance(0.5) ? ear.socket.close() : ear.socket.terminate();
      await Promise.all(closing.map(({ ear }) => ear.closed));
      open = open.filter((known) => !closing.includes(known));
      const greeted = open.filter(({ asks }) => asks !== null).length;
      await vi.waitFor(() => expect(world.audiences.listeners.size).toBe(greeted));
    }
  },
);
