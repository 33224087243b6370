/** What carries out effects, where a page stands still in the middle of its transactions. */
import { ManualTime } from 'skerry/testing';
import { expect, test } from 'vitest';
import type { WindowEffect } from '../../js/core/window-effects.ts';
import { EffectRunner, type WindowRunner } from '../../js/host/effect-runner.ts';
import type { Storage, TransactResult } from '../../js/host/storage.ts';
import { turn } from './support.ts';

/** A runner whose transactions end when the test says so. */
function runnerWith() {
  const time = new ManualTime();
  const events: { readonly type: string; readonly id?: number }[] = [];
  const ends: ((outcome: TransactResult) => void)[] = [];
  const decides: Parameters<Storage['transact']>[1][] = [];
  const runner: WindowRunner = new EffectRunner({
    clock: time,
    timers: time.timers(),
    channel: { post() {}, close() {} },
    storage: {
      transact: (_: unknown, decide: Parameters<Storage['transact']>[1]) => {
        decides.push(decide);
        return new Promise<TransactResult>((resolve) => ends.push(resolve));
      },
    } as unknown as Storage,
    call(event) {
      events.push(event);
      return [];
    },
  });
  runner.connect({ special() {} });
  const transact = (id: number) =>
    runner.execute([
      {
        type: 'transact',
        id,
        stores: ['sync'],
        mode: 'readwrite',
        durability: 'strict',
        reads: [],
      },
    ]);
  const reported = () => events.map(({ type, id }) => [type, id]);
  return { runner, transact, reported, ends, decides, time };
}

const frozen = { name: 'AbortError', message: 'The page is frozen.' };
const done: TransactResult = { committed: true, keys: [] };

test('a frozen page fails its current transaction and those that wait behind it', async () => {
  const { runner, transact, reported, ends, decides } = runnerWith();
  for (const id of [1, 2, 3]) transact(id);
  expect(ends).toHaveLength(1);
  runner.failOutstanding(frozen);
  expect(reported()).toEqual([1, 2, 3].map((id) => ['failed', id]));
  // Nothing is written by one that counts as failed.
  expect(decides[0]?.([])).toEqual({ type: 'abort' });
  // What the engine reports of the first transaction after the page is back is ignored.
  transact(4);
  ends[0]?.(done);
  await turn();
  expect(reported()).toHaveLength(3);
  ends[1]?.(done);
  await turn();
  expect(reported().at(-1)).toEqual(['done', 4]);
});

test('idle resolves when no transaction is left, and when the runner is stopped', async () => {
  const { runner, transact, ends } = runnerWith();
  await runner.idle();
  for (const id of [1, 2]) transact(id);
  let rests = 0;
  for (let i = 0; i < 2; i++) void runner.idle().then(() => rests++);
  ends[0]?.(done);
  await turn();
  expect(rests).toBe(0);
  ends[1]?.(done);
  await turn();
  expect(rests).toBe(2);
  transact(3);
  const stopped = runner.idle();
  runner.stop();
  await stopped;
});

test('held events run in order when they are released, and may be held again', async () => {
  const { runner, transact, reported, ends } = runnerWith();
  transact(1);
  runner.hold();
  ends[0]?.(done);
  await turn();
  runner.dispatch({ type: 'message', message: { type: 'left' } });
  expect(reported()).toEqual([]);
  runner.release();
  expect(reported()).toEqual([
    ['done', 1],
    ['message', undefined],
  ]);
});

test('a stopped runner has no timer left, and sends the core nothing more', async () => {
  const { runner, transact, reported, ends, time } = runnerWith();
  runner.execute([{ type: 'timer', name: 'look', delayMs: 10 }] as unknown as WindowEffect[]);
  transact(1);
  runner.stop();
  expect(time.pending()).toEqual([]);
  ends[0]?.(done);
  runner.dispatch({ type: 'message', message: { type: 'left' } });
  await turn();
  expect(reported()).toEqual([]);
});
