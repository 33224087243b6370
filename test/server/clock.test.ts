// Goal: `time` is the database's clock in every answer that has it, and /v1/time costs the database almost nothing,
// for any caller and in any state of the database. Method: a real server whose own clock is a day ahead of its
// database's; and the clock alone on a fake database.

import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { DatabaseClock } from '../../server/src/db/clock.ts';
import { type Json, post, type WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const kDayMs = 86_400_000;
/** The maximum difference of two readings of one clock on a machine under load. */
const kSlackMs = 60_000;

describe('with a server whose own clock is a day ahead', () => {
  const server = new SharedServer((folder) => {
    // PGlite reads the clock of its thread.
    const ahead = folder.file(
      'ahead.mjs',
      `import { isMainThread } from 'node:worker_threads';
       const now = Date.now;
       if (isMainThread) Date.now = () => now() + ${kDayMs};`,
    );
    return { env: { NODE_OPTIONS: `--import=${pathToFileURL(ahead)}` } };
  });
  let client: WireClient;
  beforeAll(() => {
    client = server.client();
  });

  const get = async (path: string) =>
    (await (await fetch(server.url + path, { headers: client.headers })).json()) as Json;
  const calls: [string, () => Promise<Json>][] = [
    ['a push', async () => (await client.send([client.update([])])).body],
    ['an empty push', async () => (await client.send([])).body],
    ['an empty push of a client that is known', async () => (await client.send([])).body],
    ['a pull', async () => (await client.pull()).body],
    ['/v1/tables', () => get('/v1/tables/cities')],
    [
      '/v1/tables, asked by POST',
      async () => (await post(server.url, '/v1/tables/cities', {}, client.headers)).body,
    ],
    ['/v1/time', () => get('/v1/time')],
  ];

  test.each(calls)('%s is answered with the time of the database', async (_name, call) => {
    const { time } = await call();
    expect(Math.abs(Number(time) - Date.now())).toBeLessThan(kSlackMs);
    expect(Number.isInteger(time)).toBe(true);
  });
});

/** A fake database whose clock reads `time`, or that is unavailable, or hangs. */
class PlayedDatabase {
  time = 1_000_000;
  state: 'there' | 'away' | 'hanging' = 'there';
  asked = 0;

  query<Row extends object>(): Promise<Row[]> {
    this.asked++;
    if (this.state === 'away') return Promise.reject(new Error('away'));
    if (this.state === 'hanging') return new Promise(() => {});
    return Promise.resolve([{ now: String(this.time) }] as unknown as Row[]);
  }
}

describe('the clock of a database', () => {
  const options = { freshMs: 5_000, waitMs: 0, healthFreshMs: 1_000, healthWithinMs: 10_000 };

  /** A clock of this database, and the monotonic clock of the node. */
  const opened = async (database = new PlayedDatabase()) => {
    const node = { ms: 100 };
    const clock = await DatabaseClock.open(database, { ...options, steady: () => node.ms });
    return { database, clock, node };
  };

  test('is read from the database only now and then', async () => {
    const { database, clock, node } = await opened();
    for (let i = 0; i < 1_000; i++) expect(await clock.now()).toBe(1_000_000);
    node.ms += 4_999;
    expect(await clock.now()).toBe(1_004_999);
    expect(database.asked).toBe(1);
    node.ms += 1;
    await Promise.all(Array.from({ length: 1_000 }, () => clock.now()));
    expect(database.asked).toBe(2);
  });

  test('follows a changed clock', async () => {
    const { database, clock, node } = await opened();
    node.ms += 5_000;
    database.time = 3_000_000;
    expect(await clock.now()).toBe(3_000_000);
  });

  test.each(['away', 'hanging'] as const)('continues while the database is %s', async (state) => {
    const { database, clock, node } = await opened();
    database.state = state;
    node.ms += 7_000;
    expect(await clock.now()).toBe(1_007_000);
    await Promise.all(Array.from({ length: 1_000 }, () => clock.now()));
    expect(database.asked).toBe(2);
  });

  test('is read again once the database is back', async () => {
    const { database, clock, node } = await opened();
    database.state = 'away';
    node.ms += 5_000;
    await clock.now();
    database.state = 'there';
    database.time = 2_000_000;
    expect(await clock.now()).toBe(1_005_000);
    node.ms += 5_000;
    expect(await clock.now()).toBe(2_000_000);
  });

  test('is not read again while a reading is in progress', async () => {
    const { database, clock, node } = await opened();
    database.state = 'hanging';
    for (let i = 0; i < 10; i++) {
      node.ms += 5_000;
      await clock.now();
    }
    expect(database.asked).toBe(2);
  });

  test('says whether the database is there, and asks it at most once a second', async () => {
    const { database, clock, node } = await opened();
    for (let i = 0; i < 1_000; i++) await clock.reached();
    expect(database.asked).toBe(1);
    database.state = 'away';
    node.ms += 1_000;
    const answers = Array.from({ length: 1_000 }, () => clock.reached());
    for (const { status } of await Promise.allSettled(answers)) expect(status).toBe('rejected');
    expect(database.asked).toBe(2);
    database.state = 'there';
    await expect(clock.reached()).rejects.toThrow('away');
    node.ms += 1_000;
    await clock.reached();
    expect(database.asked).toBe(3);
  });

  test('takes a database that does not answer for there for a while', async () => {
    const { database, clock, node } = await opened();
    database.state = 'hanging';
    node.ms += 9_999;
    await clock.reached();
    node.ms += 1;
    await expect(clock.reached()).rejects.toThrow('has not answered');
    expect(database.asked).toBe(2);
  });

  test('fails to open before the first reading', async () => {
    const database = new PlayedDatabase();
    database.state = 'away';
    await expect(opened(database)).rejects.toThrow('away');
  });
});
