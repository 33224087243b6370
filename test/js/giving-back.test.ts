// Goal: what a window gives back goes to the path that the core names, and a failure is told to the core after a pause that grows. Method:
// a made-up worker, clock and timers.
import { SkerryError } from 'skerry';
import { expect, test } from 'vitest';
import { GivingBack } from '../../js/api/giving-back.ts';
import type { OfferedEvent } from '../../js/core/core-types.ts';

function world() {
  const asked: string[] = [];
  const told: OfferedEvent[] = [];
  const rows: number[] = [];
  const waits: number[] = [];
  const answers: unknown[] = [];
  let mono = 1_000_000;
  const givingBack = new GivingBack({
    clock: { now: () => 0, mono: () => mono },
    timers: {
      set(_name, delayMs, fn) {
        waits.push(delayMs);
        mono += delayMs;
        fn();
      },
      cancel() {},
      clear() {},
    },
    async ask(path, body) {
      asked.push(`${path} ${body}`);
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    },
    dispatch: (event) => told.push(event),
    restored: (count) => rows.push(count),
  });
  /** Offers once, and returns what the core is told. */
  const offer = async (answer: unknown, path = '/offer') => {
    answers.push(answer);
    const before = told.length;
    givingBack.offer({ type: 'offer', path, request: '{}' });
    await new Promise((resolve) => setImmediate(resolve));
    return told.slice(before);
  };
  return { asked, rows, waits, offer };
}

test('a request goes to its path, and rows that were taken are counted', async () => {
  const { asked, rows, offer, waits } = world();
  expect(await offer({ taken: 3 })).toEqual([{ type: 'offered', answer: { taken: 3 } }]);
  expect(await offer({ taken: 0 })).toHaveLength(1);
  const results = { results: [{ status: 'applied' }] };
  expect(await offer(results, '/push')).toEqual([{ type: 'offered', answer: results }]);
  expect(asked).toEqual(['/offer {}', '/offer {}', '/push {}']);
  expect([rows, waits]).toEqual([[3], []]);
});

test('the core hears of failures after pauses that grow', async () => {
  const { waits, offer } = world();
  const busy = new SkerryError('busy', 'busy', { retryable: true });
  for (let i = 0; i < 3; i++)
    expect(await offer(busy)).toEqual([{ type: 'offered', code: 'busy' }]);
  expect(await offer(new Error('unexpected'))).toEqual([{ type: 'offered', code: 'internal' }]);
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000]);
});

test('a server that takes no offers is said at once, and nothing after the end', async () => {
  const { waits, offer } = world();
  const missing = new SkerryError('not_found', 'no such path');
  expect(await offer(missing)).toEqual([{ type: 'offered', code: 'not_found' }]);
  expect(waits).toEqual([0]);
  expect(await offer(new SkerryError('closed', 'closed'))).toEqual([]);
});
