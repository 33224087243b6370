// Goal: users take turns with their reads, so that one with many reads delays no other. Method: a gate of three
// places, called; users who are delayed when the test says so.

import { describe, expect, test, vi } from 'vitest';
import { FairGate } from '../../server/src/cost/gate.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));
const never = new AbortController().signal;

describe('the gate of reads', () => {
  function stage() {
    const rests = new Set<string>();
    const gate = new FairGate({
      ...{ inAll: 3, perUser: 2, waitingPerUser: 3, waitingInAll: 5 },
      restMs: (user) => (rests.has(user) ? 500 : 0),
    });
    const begun: string[] = [];
    const ends: (() => void)[] = [];
    const come = (user: string, name: string, signal = never) =>
      gate.run(user, signal, () => {
        begun.push(name);
        return new Promise<void>((resolve) => ends.push(resolve));
      });
    return { begun, ends, come, rests };
  }

  test('leaves a place for others, and lets users take turns', async () => {
    const { begun, ends, come } = stage();
    for (const name of ['a1', 'a2', 'a3', 'a4', 'a5']) void come('anna', name);
    for (const name of ['b1', 'b2']) void come('ben', name);
    await turn();
    expect(begun).toEqual(['a1', 'a2', 'b1']);
    for (const end of ends.splice(0)) {
      end();
      await turn();
    }
    expect(begun).toEqual(['a1', 'a2', 'b1', 'a3', 'b2', 'a4']);
  });

  test('refuses too many waiting reads: rate_limited per user, busy in total', async () => {
    const { come } = stage();
    for (let i = 0; i < 5; i++) void come('anna', 'a');
    await turn();
    await expect(come('anna', 'a')).rejects.toMatchObject({ code: 'rate_limited', status: 429 });
    for (let i = 0; i < 3; i++) void come('ben', 'b');
    await turn();
    await expect(come('cleo', 'c')).rejects.toMatchObject({ code: 'busy' });
  });

  test('lets a delayed user in after the delay, and later users before', async () => {
    vi.useFakeTimers();
    try {
      const { begun, come, rests } = stage();
      rests.add('anna');
      const gone = new AbortController();
      void come('anna', 'a1');
      const left = come('anna', 'a2', gone.signal);
      void come('ben', 'b1');
      await vi.advanceTimersByTimeAsync(600);
      expect(begun).toEqual(['b1']);
      gone.abort(new Error('gone'));
      await expect(left).rejects.toThrow('gone');
      void come('anna', 'a3');
      rests.clear();
      await vi.advanceTimersByTimeAsync(500);
      expect(begun).toEqual(['b1', 'a1', 'a3']);
    } finally {
      vi.useRealTimers();
    }
  });

  test("drops a delayed user's request from a full queue for another user", async () => {
    const { come, rests, begun, ends } = stage();
    for (const name of ['a1', 'a2']) void come('anna', name);
    void come('ben', 'b1');
    await turn();
    for (const user of ['mallory', 'nick']) rests.add(user);
    const left = [1, 2, 3].map((i) => come('mallory', `m${i}`).catch(({ code }) => code));
    for (const name of ['n1', 'n2']) void come('nick', name);
    await turn();
    void come('cleo', 'c1');
    expect(await left[2]).toBe('rate_limited');
    ends[0]?.();
    await turn();
    expect(begun).toEqual(['a1', 'a2', 'b1', 'c1']);
  });

  test('a disconnected caller stops waiting, and is never let in', async () => {
    const { begun, ends, come } = stage();
    const gone = new AbortController();
    for (const name of ['a1', 'a2']) void come('anna', name);
    const waiting = come('anna', 'a3', gone.signal);
    void come('anna', 'a4');
    await turn();
    gone.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    await expect(come('ben', 'b', gone.signal)).rejects.toThrow('gone');
    ends[0]?.();
    await turn();
    expect(begun).toEqual(['a1', 'a2', 'a4']);
  });
});
