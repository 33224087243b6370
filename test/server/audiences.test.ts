// Goal: rights of connected users are read once for a user and a change, whatever the number of the user's sockets; at
// the cost of who changed them; and nobody hears of a realm between a removal and the next invitation. Method: the real
// audiences and hub, over a database of the test's and a clock that stands still; and random runs against a naive model.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { limits } from '../../server/src/base/limits.ts';
import { Random } from '../js/model/random.ts';
import { rounds } from '../support/rounds.ts';
import { AudienceWorld, type Hearing } from './support/audience-world.ts';

let world: AudienceWorld;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  world = new AudienceWorld();
});
afterEach(async () => {
  world.release();
  await world.audiences.close();
  vi.useRealTimers();
});

const rights = ({ heard }: Hearing) => heard.filter(({ revision }) => revision === 0).length;
const of = ({ heard }: Hearing, name: string) =>
  heard.filter(({ realm }) => realm === name).map(({ revision }) => revision);
const realms = (count: number, prefix = 'r') =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`);

async function join(user: string, count: number): Promise<Hearing[]> {
  return Promise.all(Array.from({ length: count }, () => world.joined(user)));
}

describe('a change of a membership', () => {
  test.each([1, 2, 100])('is read once for %i sockets of its user', async (sockets) => {
    for (const realm of realms(300)) world.set('anna', realm, true);
    const members = await join('anna', sockets);
    expect(world.reads).toEqual([{ users: ['anna'], realms: null }]);
    // The realms are watched, and kept, once.
    expect([...world.watched.values()]).toEqual(Array(300).fill(1));
    for (const isMember of [true, false]) {
      world.reads.length = 0;
      world.commit('new', { anna: isMember });
      await world.pass(limits.pokeEveryMs);
      expect(world.reads).toEqual([{ users: ['anna'], realms: ['new'] }]);
      await world.pass(1_000);
    }
    expect(members.map(rights)).toEqual(Array(sockets).fill(2));
    for (const member of members) world.audiences.leave(member);
    expect(world.watched.size).toBe(0);
  });

  test('of many users at once is one query', async () => {
    const names = Array.from({ length: limits.rightsPerTurn }, (_, i) => `user${i}`);
    const members = await Promise.all(names.map((name) => world.joined(name)));
    await world.pass(1_000);
    world.reads.length = 0;
    world.commit('new', Object.fromEntries(names.map((name) => [name, true])));
    await world.turns();
    expect(world.reads).toHaveLength(1);
    expect(members.map(rights)).toEqual(names.map(() => 1));
  });

  test('keeps the user from hearing of that realm only, until it is read', async () => {
    for (const realm of ['a', 'b']) world.set('anna', realm, true);
    const anna = await world.joined('anna');
    await world.pass(1_000);
    world.hold();
    // What waits is not heard either.
    world.commit('a');
    world.commit('a', { anna: false });
    world.commit('a');
    world.commit('b');
    await world.pass(1_000);
    expect(of(anna, 'a')).toEqual([]);
    expect(of(anna, 'b')).toEqual([1]);
    expect(rights(anna)).toBe(0);
    world.release();
    await world.turns();
    expect(rights(anna)).toBe(1);
    world.commit('a');
    await world.pass(1_000);
    expect(of(anna, 'a')).toEqual([]);
    expect([...world.watched.keys()]).toEqual(['b']);
  });

  test('that follows while the last one is read is read, too', async () => {
    world.set('anna', 'a', true);
    const anna = await world.joined('anna');
    await world.pass(1_000);
    world.hold();
    world.commit('a', { anna: true });
    await world.turns();
    // The answer under way says that anna is a member.
    world.commit('a', { anna: false });
    world.release();
    await world.turns();
    world.commit('a');
    await world.pass(1_000);
    expect(of(anna, 'a')).toEqual([]);
  });

  test('while everything is read does not open the realm', async () => {
    world.set('anna', 'a', true);
    const anna = world.member('anna');
    world.hold();
    const joining = world.audiences.join(anna);
    await world.turns();
    world.commit('a', { anna: false });
    world.release();
    await world.turns();
    await joining;
    world.commit('a');
    await world.pass(1_000);
    expect(of(anna, 'a')).toEqual([]);
  });

  test('leaves a realm open that the grants open as well', async () => {
    world.set('anna', 'a', true);
    const [granted, plain] = [await world.joined('anna', ['a']), await world.joined('anna')];
    await world.pass(1_000);
    world.commit('a', { anna: false });
    await world.pass(1_000);
    world.commit('a');
    await world.pass(1_000);
    expect(of(granted, 'a')).toEqual([2]);
    expect(of(plain, 'a')).toEqual([]);
    expect([granted, plain].map(rights)).toEqual([1, 1]);
  });

  test.each([
    ['as many as are read one by one', limits.rightsOneByOne, [limits.rightsOneByOne]],
    ['one more, and all are read', limits.rightsOneByOne + 1, [null]],
  ])('in %s', async (_, count, expected) => {
    const anna = await world.joined('anna');
    await world.pass(1_000);
    world.reads.length = 0;
    for (const realm of realms(count)) world.commit(realm, { anna: true });
    await world.turns();
    expect(world.reads.map((read) => read.realms?.length ?? null)).toEqual(expected);
    for (const realm of realms(count)) world.commit(realm);
    await world.pass(1_000);
    expect(realms(count).filter((realm) => of(anna, realm).length !== 1)).toEqual([]);
  });
});

describe('a change of rights that names no realm', () => {
  const changed = (user: string) => world.hub.changed([{ user, realm: null }]);

  test('silences all realms until all is read', async () => {
    for (const realm of ['a', 'b']) world.set('anna', realm, true);
    const anna = await world.joined('anna');
    await world.pass(1_000);
    world.hold();
    world.set('anna', 'a', false);
    world.commit('b');
    changed('anna');
    for (const realm of ['a', 'b']) world.commit(realm);
    await world.pass(1_000);
    expect(anna.heard).toEqual([]);
    world.release();
    await world.turns();
    for (const realm of ['a', 'b']) world.commit(realm);
    await world.pass(1_000);
    expect(of(anna, 'a')).toEqual([]);
    expect(of(anna, 'b')).toEqual([3]);
    expect(rights(anna)).toBe(1);
  });

  test('lets those whose grants are others join again, and the others stay', async () => {
    const [stays, moves] = [await world.joined('anna', ['a']), await world.joined('anna', ['a'])];
    await world.pass(1_000);
    moves.isStillGranted = false;
    changed('anna');
    await world.turns();
    world.commit('a');
    await world.pass(1_000);
    expect([stays.regrants, moves.regrants]).toEqual([0, 1]);
    expect([of(stays, 'a'), of(moves, 'a')]).toEqual([[1], []]);
  });

  test('closes only whose grants cannot be read', async () => {
    const [stays, fails] = [await world.joined('anna'), await world.joined('anna')];
    await world.pass(1_000);
    const error = new Error('no directory');
    fails.isGranted = () => Promise.reject(error);
    changed('anna');
    await world.turns();
    expect([stays.failures, fails.failures]).toEqual([[], [error]]);
    expect([rights(stays), rights(fails)]).toEqual([1, 0]);
  });

  test('reads once for all grants of the user, and not for others', async () => {
    await Promise.all([world.joined('anna', ['a']), world.joined('anna', ['b']), join('bo', 1)]);
    await world.pass(1_000);
    world.reads.length = 0;
    changed('anna');
    await world.turns();
    expect(world.reads).toEqual([{ users: ['anna'], realms: null }]);
  });
});

describe('the cost', () => {
  test('of a change is charged to its author, the first read to the user', async () => {
    await join('anna', 10);
    expect(world.charged.get('anna')).toBeCloseTo(world.costMs);
    await world.pass(1_000);
    world.commit('a', { anna: true }, 'mal');
    await world.turns();
    expect(world.charged.get('mal')).toBeCloseTo(world.costMs + 10 * limits.pokeMs);
    expect(world.charged.get('anna')).toBeCloseTo(world.costMs);
  });

  test('of pokes is charged to the author of the commit', async () => {
    await Promise.all([world.joined('anna', ['a']), world.joined('bo', ['a'])]);
    world.charged.clear();
    world.commit('a', {}, 'mal');
    expect([...world.charged]).toEqual([['mal', 2 * limits.pokeMs]]);
  });

  test('of invitations is charged to the inviter, and users are notified one by one', async () => {
    const users = Array.from({ length: 3 }, (_, n) => `guest-${n}`);
    const members = await Promise.all(users.map((user) => world.joined(user)));
    await world.pass(limits.rightsRestMostMs);
    world.charged.clear();
    // Nobody listens for the last one.
    world.hub.committed([{ ...world.commit('a'), invited: [...users, 'absent'] }]);
    const heard = () => members.map(({ heard }) => heard.length);
    await world.pass(0);
    expect(heard()).toEqual([1, 0, 0]);
    await world.pass(limits.invitedEveryMs);
    expect(heard()).toEqual([1, 1, 0]);
    await world.pass(limits.invitedEveryMs);
    expect(heard()).toEqual([1, 1, 1]);
    expect([...world.charged]).toEqual([['mal', 3 * limits.invitedMs]]);
  });

  test.each([
    ['a short one', 1, limits.pokeEveryMs],
    ['a longer one', 40, 40 * limits.rightsRest],
    ['a very long one', 60_000, limits.rightsRestMostMs],
  ])('of %s sets the pause before the next', async (_, costMs, pauseMs) => {
    await world.joined('anna');
    await world.pass(limits.rightsRestMostMs);
    const changes = async () => {
      world.commit('a', { anna: true });
      await world.turns();
    };
    world.costMs = costMs - limits.pokeMs;
    await changes();
    world.reads.length = 0;
    await changes();
    await changes();
    await world.pass(pauseMs - 1);
    expect(world.reads).toEqual([]);
    await world.pass(1);
    expect(world.reads).toEqual([{ users: ['anna'], realms: ['a'] }]);
  });

  test('of one user delays no other', async () => {
    await Promise.all([join('anna', 1), join('bo', 1)]);
    await world.pass(1_000);
    world.costMs = 1_000;
    world.commit('a', { anna: true });
    await world.turns();
    world.reads.length = 0;
    world.commit('a', { anna: true, bo: true });
    await world.turns();
    expect(world.reads).toEqual([{ users: ['bo'], realms: ['a'] }]);
  });
});

test('rights that cannot be read close the sockets; the next ones join', async () => {
  const anna = await world.joined('anna', ['a']);
  await world.pass(1_000);
  world.failure = new Error('no database');
  const late = world.member('bo');
  const joining = world.audiences.join(late);
  world.commit('b', { anna: true });
  await expect(Promise.all([joining, world.turns()])).rejects.toThrow('no database');
  expect(anna.failures).toEqual([world.failure]);
  expect(world.watched.size).toBe(0);
  world.commit('a');
  await world.pass(1_000);
  expect(anna.heard).toEqual([]);
  world.failure = null;
  const again = await world.joined('anna', ['a']);
  world.commit('a');
  await world.pass(1_000);
  expect(of(again, 'a')).toEqual([2]);
});

describe('pokes', () => {
  test('of one realm are merged, and sent at most once in a while', async () => {
    const anna = await world.joined('anna', ['a']);
    for (let i = 0; i < 3; i++) world.commit('a');
    await world.turns();
    expect(of(anna, 'a')).toEqual([3]);
    for (let i = 0; i < 3; i++) world.commit('a');
    await world.pass(limits.pokeEveryMs - 1);
    expect(of(anna, 'a')).toEqual([3]);
    await world.pass(1);
    expect(of(anna, 'a')).toEqual([3, 6]);
    await world.pass(limits.pokeEveryMs);
    world.commit('a');
    await world.turns();
    expect(of(anna, 'a')).toEqual([3, 6, 7]);
  });

  test('of a realm with many sockets let the event loop go on in between', async () => {
    const members = await Promise.all(
      Array.from({ length: 100 }, (_, i) => world.joined(`user${i}`, ['a'])),
    );
    await world.pass(1_000);
    let sent = 0;
    const began = performance.now();
    // Each takes a millisecond.
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => began + sent);
    for (const member of members) member.send = () => sent++;
    world.commit('a');
    const atTurns: number[] = [];
    for (let i = 0; i < 1_000 && sent < members.length; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      atTurns.push(sent);
    }
    clock.mockRestore();
    const most = Math.max(...atTurns.map((now, i) => now - (atTurns[i - 1] ?? 0)));
    expect(most).toBeLessThanOrEqual(limits.pokeSliceMs + 1);
  });
});

const seeds = Array.from({ length: rounds(1_000, 50) }, (_, i) => i + 1);
test.each(seeds)('random changes against a model (seed %i)', async (seed) => {
  const random = new Random(seed);
  const [users, names] = [['anna', 'bo'], realms(3)];
  const members: Hearing[] = [];
  const revisions = new Map<string, number>();
  /** The revisions that each user may hear of, by user and realm. */
  const allowed = new Set<string>();
  const commit = (realm: string, changes: Record<string, boolean> = {}) => {
    const { revision } = world.commit(realm, changes);
    revisions.set(realm, revision);
    for (const user of users) {
      if (world.memberships.get(user)?.has(realm)) allowed.add(`${user} ${realm} ${revision}`);
    }
  };
  const steps: [number, () => unknown][] = [
    [6, () => commit(random.pick(names))],
    [4, () => commit(random.pick(names), { [random.pick(users)]: random.chance(0.5) })],
    [1, () => world.hub.changed([{ user: random.pick(users), realm: null }])],
    [2, () => world.hold()],
    [3, () => world.release()],
    [4, () => world.pass(random.below(60))],
    [
      2,
      async () => {
        const member = world.member(random.pick(users));
        const joining = world.audiences.join(member).then(() => members.push(member));
        if (random.chance(0.5)) world.release();
        await world.turns();
        void joining;
      },
    ],
    [
      1,
      () => {
        const left = members.splice(random.below(members.length + 1), 1);
        for (const member of left) world.audiences.leave(member);
      },
    ],
  ];
  for (let step = 0; step < 60; step++) await random.weighted(steps)();
  world.release();
  await world.pass(limits.rightsRestMostMs);
  const check = () => {
    for (const { user, heard } of members) {
      const heardOf = heard.filter(({ revision }) => revision !== 0);
      const wrong = heardOf.filter(
        ({ realm, revision }) => !allowed.has(`${user.id} ${String(realm)} ${String(revision)}`),
      );
      expect(wrong).toEqual([]);
    }
  };
  check();
  for (const realm of names) commit(realm);
  await world.pass(1_000);
  check();
  for (const member of members) {
    for (const realm of names) {
      const isMember = world.memberships.get(member.user.id)?.has(realm) === true;
      expect(of(member, realm).includes(revisions.get(realm))).toBe(isMember);
    }
  }
  for (const member of members) world.audiences.leave(member);
  expect(world.watched.size).toBe(0);
});
