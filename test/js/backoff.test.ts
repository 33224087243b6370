/** Pauses after failures. */
import { ManualTime } from 'skerry/testing';
import { expect, test } from 'vitest';
import { Backoff } from '../../js/host/backoff.ts';

test('each pause doubles up to a minute, and a long time without failure resets it', () => {
  const time = new ManualTime();
  const backoff = new Backoff(time);
  const fail = (afterMs: number) => {
    time.advance(afterMs);
    return backoff.next();
  };
  expect([0, 5_000, 10_000, 20_000, 40_000, 60_000].map(fail)).toEqual([
    5_000, 10_000, 20_000, 40_000, 60_000, 60_000,
  ]);
  expect(fail(3_600_000)).toBe(5_000);
  // Two minutes are not long: a client that fails once a minute still fails.
  expect([120_000, 120_001].map(fail)).toEqual([10_000, 5_000]);
});

test('failures are counted by the monotonic clock', () => {
  const time = new ManualTime();
  const backoff = new Backoff(time);
  backoff.next();
  time.step(86_400_000);
  expect(backoff.next()).toBe(10_000);
});
