// Goal: when time is short, nobody has more than an equal share of it for long; a user who is alone has all of it.
// Method: a clock that the test sets, and users who wait as long as the test says.

import { describe, expect, test } from 'vitest';
import { limits } from '../../server/src/base/limits.ts';
import { Shares } from '../../server/src/cost/shares.ts';

const kLeast = 100;

/** The steps of the clock. */
const kStepMs = 10;

function stage(least = kLeast, remembered = 100) {
  let now = 0;
  const shares = new Shares({ least, remembered, now: () => now });
  const pass = (seconds: number, each: () => void = () => {}) => {
    for (const end = now + 1_000 * seconds; now < end; now += kStepMs) each();
  };
  return {
    shares,
    pass,
    /** These users wait from now on, for ever. */
    wait(...users: readonly string[]) {
      for (const user of users) void shares.during(user, () => new Promise(() => {}));
    },
    /**
     * A user who always wants more, in pieces of so many ms of work: how many of them were done in so many seconds.
     */
    greedy(user: string, pieceMs: number, seconds: number, beside: () => void = () => {}) {
      let done = 0;
      let busyMs = 0;
      pass(seconds, () => {
        beside();
        busyMs -= kStepMs;
        if (busyMs > 0) return;
        if (busyMs === 0) shares.charge(user, pieceMs);
        if (busyMs === 0) done++;
        if (shares.restMs(user) === 0) busyMs = pieceMs;
      });
      return done;
    },
  };
}

const crowd = Array.from({ length: 20 }, (_, n) => `user${n}`);

describe('shares of time', () => {
  test('give a user who is alone all the time, even of several threads', () => {
    const { wait, greedy } = stage();
    wait('anna');
    expect(greedy('anna', 100, 10)).toBeGreaterThan(95);
  });

  test('delay a user above an equal share, and no others', () => {
    const world = stage();
    world.wait('greedy', ...crowd);
    world.pass(3);
    // Of 10 s it has a tenth: the least, which is more than one of 20.
    const pieces = world.greedy('greedy', 100, 10, () => {
      for (const user of crowd) {
        expect(world.shares.restMs(user)).toBe(0);
        world.shares.charge(user, 0.4);
      }
    });
    expect(pieces).toBeGreaterThanOrEqual(9);
    expect(pieces).toBeLessThanOrEqual(10 + Math.ceil(limits.workAtOnce / 100) + 1);
  });

  test('are equal parts among few waiting users', () => {
    const world = stage();
    world.wait('greedy', 'anna', 'ben', 'cleo', 'dan');
    world.pass(3);
    const pieces = world.greedy('greedy', 50, 20);
    expect(pieces).toBeGreaterThanOrEqual(20 * 5);
    expect(pieces).toBeLessThanOrEqual(20 * 5 + 10);
  });

  test('depend on the number of waiting users, not on the work done for them', () => {
    const world = stage();
    world.wait('greedy', ...crowd);
    world.pass(3, () => {
      for (const user of crowd) world.shares.charge(user, 0.4);
    });
    // From here on the others get nothing at all.
    expect(world.greedy('greedy', 100, 10)).toBeLessThanOrEqual(14);
  });

  test('let many equal users occupy all threads without delays', () => {
    const world = stage();
    world.wait(...crowd);
    world.pass(3);
    // Four threads' worth, which is twice each user's minimum.
    const each = (4 * kStepMs) / crowd.length;
    world.pass(10, () => {
      for (const user of crowd) {
        expect(world.shares.restMs(user)).toBe(0);
        world.shares.charge(user, each);
      }
    });
  });

  test('limit the debt, and check a delay again before its end', () => {
    const { shares, wait, pass } = stage();
    wait('greedy', ...crowd);
    pass(3);
    shares.charge('greedy', 100_000);
    let rested = 0;
    while (shares.restMs('greedy') > 0) {
      expect(shares.restMs('greedy')).toBeLessThanOrEqual(500);
      pass(kStepMs / 1_000);
      rested += kStepMs;
    }
    const most = (limits.workOwed - limits.workAtOnce) / (kLeast / 1_000);
    expect(rested).toBeGreaterThan(0.9 * most);
    expect(rested).toBeLessThan(1.1 * most);
  });

  test.each([1_500, 30_000])('owe what %i ms of work have taken from others, in full', (ms) => {
    const { shares, wait, pass } = stage();
    wait('greedy', ...crowd);
    pass(3);
    shares.charge('greedy', ms);
    const most = (ms - limits.workAtOnce) / (kLeast / 1_000);
    const told = shares.longRestMs('greedy');
    expect(told).toBeGreaterThan(0.8 * Math.min(most, limits.restRefusedMostMs));
    expect(told).toBeLessThanOrEqual(Math.min(most, limits.restRefusedMostMs));
    let rested = 0;
    for (; shares.restMs('greedy') > 0; rested += kStepMs) {
      const isLong = shares.longRestMs('greedy') > 0;
      if (rested > most - 0.9 * limits.restRefusedMs) expect(isLong).toBe(false);
      else if (rested < most - 1.3 * limits.restRefusedMs) expect(isLong).toBe(true);
      pass(kStepMs / 1_000);
    }
    expect(rested).toBeGreaterThan(0.8 * most);
    expect(shares.longRestMs('anybody else')).toBe(0);
  });

  test('end a delay when the others have left', async () => {
    const { shares, wait, pass } = stage();
    wait('greedy');
    let leave = () => {};
    const gone = crowd.map((user) =>
      shares.during(
        user,
        () =>
          new Promise<void>((resolve) => {
            const before = leave;
            leave = () => {
              before();
              resolve();
            };
          }),
      ),
    );
    pass(3);
    shares.charge('greedy', 2_000);
    pass(1);
    expect(shares.restMs('greedy')).toBeGreaterThan(0);
    leave();
    await Promise.all(gone);
    pass(5);
    expect(shares.restMs('greedy')).toBe(0);
  });

  test('count a user once, however many of its requests wait', async () => {
    const world = stage();
    world.wait('greedy', ...Array.from({ length: 500 }, () => 'anna'));
    world.pass(3);
    // Half of the time would be fair between two; a user with a single rival is not delayed.
    expect(world.greedy('greedy', 500, 10)).toBeGreaterThan(18);
  });

  test('delay nobody once the server stops', () => {
    const { shares, wait, pass } = stage();
    wait('greedy', ...crowd);
    pass(3);
    shares.charge('greedy', 2_000);
    expect(shares.restMs('greedy')).toBeGreaterThan(0);
    shares.end();
    expect(shares.restMs('greedy')).toBe(0);
  });

  test('delay nobody for a minimum of 0, and forget the least recent users', () => {
    const without = stage(0);
    without.wait('greedy', ...crowd);
    expect(without.greedy('greedy', 1_000, 10)).toBe(9);
    const { shares, wait, pass } = stage(kLeast, 2);
    wait('greedy', ...crowd);
    pass(3);
    for (const user of ['a', 'b', 'c']) shares.charge(user, 1_000);
    expect(['a', 'b', 'c'].map((user) => shares.restMs(user) > 0)).toEqual([false, true, true]);
  });
});
