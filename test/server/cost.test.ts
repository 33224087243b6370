// Goal: one caller's use is limited, and does not reduce that of the others. Method: call the parts of cost/, with
// clocks that the tests set.

import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { callerLimits, limits } from '../../server/src/base/limits.ts';
import { Problem } from '../../server/src/base/problem.ts';
import { addressOf } from '../../server/src/cost/address.ts';
import { BodyBytes } from '../../server/src/cost/bodies.ts';
import { Callers } from '../../server/src/cost/callers.ts';
import { Rates } from '../../server/src/cost/rates.ts';
import { whileWanted } from '../../server/src/cost/signal.ts';
import { SocketPlaces } from '../../server/src/cost/sockets.ts';
import type { Database } from '../../server/src/db/database.ts';
import { objectOf, readBody } from '../../server/src/http/body.ts';
import { BoundClients } from '../../server/src/push/bound-clients.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));
const never = new AbortController().signal;

function problemOf(work: () => unknown): Problem | null {
  try {
    work();
    return null;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

describe('a rate', () => {
  let now = 0;
  const rates = (remembered = 10) => new Rates({ perSecond: 2, burst: 4 }, remembered, () => now);

  test('allows a burst, says when the next request may come, and allows it then', () => {
    const rate = rates();
    expect([1, 2, 3, 4].map(() => rate.take('anna', 1))).toEqual([0, 0, 0, 0]);
    expect(rate.take('anna', 1)).toBe(500);
    now += 250;
    expect(rate.take('anna', 1)).toBe(250);
    now += 250;
    expect(rate.take('anna', 1)).toBe(0);
    now += 1_000_000;
    expect([1, 2, 3, 4].map(() => rate.take('anna', 1))).toEqual([0, 0, 0, 0]);
    expect(rate.take('anna', 1)).toBe(500);
  });

  test('is each caller’s own', () => {
    const rate = rates();
    rate.take('anna', 4);
    expect([rate.take('anna', 1), rate.take('ben', 4)]).toEqual([500, 0]);
  });

  test('owes at most a bucket for work done, and caps a cost at a bucket', () => {
    const rate = rates();
    rate.charge('anna', 100);
    expect(rate.take('anna', 1)).toBe(2_500);
    expect(rate.take('ben', 100)).toBe(0);
    expect(rate.take('ben', 1)).toBe(500);
  });

  test('forgets only the least recent of too many callers', () => {
    const rate = rates(2);
    rate.take('anna', 4);
    rate.take('ben', 4);
    rate.take('anna', 1);
    rate.take('cleo', 4);
    expect([rate.take('anna', 1), rate.take('ben', 4)]).toEqual([500, 0]);
  });

  test('of 0 is none', () => {
    const rate = new Rates({ perSecond: 0, burst: 0 }, 10);
    expect([rate.take('anna', 1), rate.take('anna', 1_000)]).toEqual([0, 0]);
  });
});

describe('bytes of bodies', () => {
  const body = (bytes: BodyBytes, user: string) => {
    const stream = Object.assign(new Readable({ read() {} }), { headers: {} });
    const held = bytes.hold(user);
    const read = readBody(stream, held)
      .then(objectOf)
      .catch((error: unknown) => error);
    return { stream, held, read };
  };

  test('count while they arrive: stalled bodies block their own user only', async () => {
    const bytes = new BodyBytes({ inAll: 2_000, perUser: 1_000 });
    const first = body(bytes, 'anna');
    first.stream.push(' '.repeat(900));
    await turn();
    const second = body(bytes, 'anna');
    second.stream.push(' '.repeat(200));
    expect(await second.read).toMatchObject({ code: 'rate_limited' });
    second.held.release();
    const third = body(bytes, 'ben');
    third.stream.push('{}');
    third.stream.push(null);
    expect(await third.read).toEqual({});
    first.stream.destroy();
    await first.read;
    first.held.release();
    const again = body(bytes, 'anna');
    again.stream.push(`{}${' '.repeat(900)}`);
    again.stream.push(null);
    expect(await again.read).toEqual({});
  });

  test('are limited for all users together, too', () => {
    const bytes = new BodyBytes({ inAll: 1_500, perUser: 1_000 });
    bytes.hold('anna').add(1_000);
    expect(problemOf(() => bytes.hold('ben').add(600))?.code).toBe('busy');
    expect(problemOf(() => bytes.hold('ben').add(500))).toBeNull();
  });

  test('are refused below the minimum rate only', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
    try {
      const bytes = new BodyBytes({ inAll: 1 << 20, perUser: 1 << 20 });
      const [stalled, slow] = [body(bytes, 'anna'), body(bytes, 'anna')];
      stalled.stream.push('{');
      slow.stream.push('{');
      for (let ms = 0; ms <= limits.bodyGraceMs + 3_000; ms += 1_000) {
        slow.stream.push(' '.repeat(limits.bodyBytesPerSecond));
        await turn();
        vi.advanceTimersByTime(1_000);
      }
      expect(await stalled.read).toMatchObject({ code: 'slow_body', status: 408 });
      slow.stream.push('}');
      slow.stream.push(null);
      expect(await slow.read).toEqual({});
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('callers', () => {
  test('are refused by rate, with the time until the next request', async () => {
    // A second that passes between two of them would allow another one.
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const callers = new Callers({ ...callerLimits, requestsPerUser: 1, requestsPerClient: 1 }, 2);
    for (let i = 0; i < limits.burstSeconds; i++) callers.request('anna');
    const refused = problemOf(() => callers.request('anna'));
    const headers = refused?.toResponse().headers;
    expect([refused?.status, headers?.get('retry-after')]).toEqual([429, '1']);
    expect(problemOf(() => callers.request('ben'))).toBeNull();
    for (let i = 0; i < limits.burstSeconds - 1; i++) callers.ofClient('client', 10);
    expect(problemOf(() => callers.ofClient('client', 10))).toMatchObject({
      code: 'rate_limited',
    });
    // The declared length of a body counts before the body arrives.
    const all = limits.burstSeconds * limits.bytesPerToken;
    callers.declared('dan', all);
    expect(problemOf(() => callers.declared('dan', limits.bytesPerToken))).toMatchObject({
      code: 'rate_limited',
    });
    // An undeclared length is owed.
    callers.undeclared('emil', all);
    expect(problemOf(() => callers.request('emil'))).toMatchObject({ code: 'rate_limited' });
  });

  /** So many callers besides anna wait for the server. */
  const busy = async () => {
    const callers = new Callers(callerLimits, 2);
    for (let i = 0; i < 50; i++)
      void callers.shares.during(`user${i}`, () => new Promise<void>(() => {}));
    // Their number is an average over time.
    await vi.advanceTimersByTimeAsync(5_000);
    return callers;
  };
  const whileFake = async (work: () => Promise<void>) => {
    vi.useFakeTimers();
    try {
      await work();
    } finally {
      vi.useRealTimers();
    }
  };

  test('are delayed for the time of their reads, as long as others wait', () =>
    whileFake(async () => {
      const callers = await busy();
      const done: string[] = [];
      const read = async (user: string, ms: number) => {
        await callers.reading(user, never, async (spent) => spent(ms));
        done.push(user);
      };
      await read('anna', 800);
      const again = read('anna', 1);
      await read('ben', 1);
      await vi.advanceTimersByTimeAsync(2_000);
      expect(done).toEqual(['anna', 'ben']);
      await vi.advanceTimersByTimeAsync(5_000);
      await again;
      expect(done).toEqual(['anna', 'ben', 'anna']);
    }));

  test('have long bodies parsed one by one, and pay for refused ones', () =>
    whileFake(async () => {
      const callers = await busy();
      const done: string[] = [];
      const look = (name: string, bytes: number, user = 'anna') =>
        callers.parsing(user, bytes, never, () => {
          // Anna's bodies take time to parse; all are refused.
          if (user === 'anna') vi.advanceTimersByTime(400);
          done.push(name);
          throw new Error(name);
        });
      const long = limits.bytesParsedAtOnce + 1;
      await expect(look('first', long)).rejects.toThrow('first');
      const second = expect(look('second', long)).rejects.toThrow('second');
      // A short body does not overtake another one of its user.
      const short = expect(look('short', 10)).rejects.toThrow('short');
      await expect(look('other', long, 'ben')).rejects.toThrow('other');
      expect(done).toEqual(['first', 'other']);
      await vi.advanceTimersByTimeAsync(10_000);
      await Promise.all([second, short]);
      expect(done).toEqual(['first', 'other', 'second', 'short']);
    }));
});

describe('the work of a request', () => {
  const response = () => Object.assign(new EventEmitter(), { destroyed: false }) as never;
  const until = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });

  test('ends when its caller disconnects, even before it began', async () => {
    const outgoing = response();
    const work = whileWanted(outgoing, 60_000, ({ signal }) => until(signal)).catch(
      (error: unknown) => error,
    );
    (outgoing as EventEmitter).emit('close');
    expect(await work).toMatchObject({ code: 'bad_request' });
    const gone = Object.assign(new EventEmitter(), { destroyed: true }) as never;
    const late = whileWanted(gone, 60_000, async ({ signal }) => signal.throwIfAborted());
    await expect(late).rejects.toMatchObject({ code: 'bad_request' });
  });

  test('ends with busy when it takes too long', async () => {
    const work = whileWanted(response(), 5, ({ signal }) => until(signal)).catch(
      (error: unknown) => error,
    );
    const problem = (await work) as Problem;
    expect([problem.status, problem.toResponse().headers.get('retry-after')]).toEqual([503, '10']);
  });
});

test('finishes shared work of a disconnected caller, and begins nothing after it', async () => {
  const outgoing = Object.assign(new EventEmitter(), { destroyed: false });
  let made = '';
  const work = whileWanted(outgoing as never, 60_000, async ({ signal, finish }) => {
    made = await finish(async () => {
      outgoing.emit('close');
      await turn();
      signal.throwIfAborted();
      return 'made';
    });
    signal.throwIfAborted();
    made = 'more';
  });
  await expect(work).rejects.toMatchObject({ code: 'bad_request' });
  expect(made).toBe('made');
});

describe('places for sockets', () => {
  const bounds = { sockets: 300, socketsPerUser: 2, socketsPerAddress: 250 };

  test('are limited per address, and a free place is used again', () => {
    const places = new SocketPlaces(bounds);
    for (let i = 0; i < 250; i++) expect(places.enter('a')).toBe(true);
    expect([places.enter('a'), places.enter('b')]).toEqual([false, true]);
    places.leave('a');
    expect(places.enter('a')).toBe(true);
  });

  test('are limited per user', () => {
    const places = new SocketPlaces(bounds);
    expect(['anna', 'anna', 'anna', 'ben'].map((user) => places.greet(user))).toEqual([
      ...[true, true, false, true],
    ]);
    places.part('anna');
    expect(places.greet('anna')).toBe(true);
  });

  test('close the longest silent socket for a new one, and none with a hello', () => {
    const places = new SocketPlaces(bounds);
    const ended: number[] = [];
    const spoke: (() => void)[] = [];
    for (let i = 0; i < limits.silentSocketsPerAddress + 2; i++) {
      spoke.push(places.silent('a', () => ended.push(i)));
      if (i === 0) spoke[0]?.();
    }
    expect(ended).toEqual([1]);
  });

  test('close a silent socket for a new one when all are taken', () => {
    const places = new SocketPlaces({ ...bounds, sockets: 2 });
    const ended: string[] = [];
    places.enter('a');
    const spoke = places.silent('a', () => ended.push('a'));
    places.enter('b');
    places.silent('b', () => ended.push('b'));
    spoke();
    expect([places.enter('c'), ended]).toEqual([true, ['b']]);
    expect(places.enter('c')).toBe(false);
  });
});

test.each([
  ['127.0.0.1', undefined, false, '127.0.0.1'],
  ['::ffff:10.0.0.7', undefined, false, '10.0.0.7'],
  ['2001:db8:1:2:3:4:5:6', undefined, false, '2001:db8:1:2::/64'],
  ['2001:db8:1:2::1', undefined, false, '2001:db8:1:2::/64'],
  ['fe80::1%eth0', undefined, false, 'fe80:0:0:0::/64'],
  ['::1', undefined, false, '0:0:0:0::/64'],
  ['10.0.0.7', '1.2.3.4', false, '10.0.0.7'],
  ['10.0.0.7', 'whatever, 1.2.3.4', true, '1.2.3.4'],
  ['10.0.0.7', undefined, true, '10.0.0.7'],
])('%s, forwarded for %s (trusted: %s), counts as %s', (remote, forwarded, trusted, address) => {
  expect(addressOf(remote, forwarded, trusted)).toBe(address);
});

test('remembers users of clients, reads the others, and writes only new ones', async () => {
  const asked: string[] = [];
  const owners = new Map([['theirs', 'ben']]);
  const query = async (sql: string, [param = '']: readonly string[] = []) => {
    if (sql.includes('insert')) {
      const rows = JSON.parse(param) as { client: string; user: string }[];
      asked.push(`write ${rows.map(({ client }) => client)}`);
      for (const { client, user } of rows) owners.set(client, user);
      return [];
    }
    asked.push(`read ${param}`);
    const owner = owners.get(param);
    return owner === undefined ? [] : [{ user_id: owner }];
  };
  const transaction = (_: unknown, work: (tx: unknown) => Promise<unknown>) => work({ query });
  const clients = new BoundClients({ query, transaction } as unknown as Database, 2);
  const anna = { id: 'anna', grants: new Map(), expires: null };
  const check = async (...names: string[]) => {
    asked.length = 0;
    for (const name of names) await clients.check(name, anna);
    return asked;
  };
  await expect(clients.check('theirs', anna)).rejects.toMatchObject({ code: 'client_bound' });
  expect(await check('a')).toEqual(['read a', 'write a', 'read a']);
  expect(await check('a', 'b', 'a', 'c', 'a')).toEqual([
    ...['read b', 'write b', 'read b', 'read c', 'write c', 'read c'],
  ]);
  // The least recently used one was forgotten, but it is in the database.
  expect(await check('a', 'b', 'a')).toEqual(['read b']);
});
