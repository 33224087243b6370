// Goal: a statement that hangs ends in a typed error, not in a caller that waits for ever, and the connections go on.
// Method: a lock that another connection holds to the end of the test, with limits that are short.

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type Database,
  DatabaseTimeout,
  isTimeout,
  isUnavailable,
} from '../../../server/src/db/database.ts';
import { type Patience, PgConnection } from '../../../server/src/db/pg-connection.ts';
import { PgPool } from '../../../server/src/db/pg-pool.ts';
import { openPostgres } from '../../../server/src/db/postgres.ts';
import { limits } from '../../../server/src/limits.ts';
import { makeDatabase, postgresUrl } from '../support/database.ts';

const kLock = `select pg_advisory_lock(1)::text as locked`;
const kLong = 600_000;
/** Long enough for what does not hang, on a machine that has much to do. */
const kStatementMs = 500;
const kAnswerMs = 3_000;
let url = '';
let holder: postgres.Sql;
let open: Database[] = [];

beforeAll(async () => {
  url = await makeDatabase(String(postgresUrl), `test_${randomUUID().slice(0, 8)}`);
  holder = postgres(url, { max: 1 });
  await holder.unsafe(kLock);
});
afterAll(async () => {
  await holder.end();
  await Promise.all(open.map((database) => database.close()));
  open = [];
});

async function opened(patience: Patience): Promise<Database> {
  const database = await openPostgres(url, 1, patience);
  open.push(database);
  return database;
}

test('PostgreSQL ends a statement that takes too long, and the connection serves the next', async () => {
  const database = await opened({ statementMs: kStatementMs, answerWithinMs: kLong });
  const error = await database
    .transaction({ mode: 'write' }, (tx) => tx.query(kLock))
    .catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: '57014' });
  expect([isTimeout(error), isUnavailable(error)]).toEqual([true, true]);
  expect(await database.query(`select 'on' as it`)).toEqual([{ it: 'on' }]);
});

test('a database that does not answer at all loses its connection, and the next one serves', async () => {
  const database = await opened({ statementMs: kLong, answerWithinMs: kAnswerMs });
  const error = await database
    .transaction({ mode: 'snapshot' }, (tx) => tx.query(kLock))
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(DatabaseTimeout);
  expect([isTimeout(error), isUnavailable(error)]).toEqual([true, true]);
  expect(await database.query(`select 'on' as it`)).toEqual([{ it: 'on' }]);
});

test('who changes tables waits as long as it takes', async () => {
  const database = await opened({ statementMs: kStatementMs, answerWithinMs: kAnswerMs });
  const impatient = await opened({ statementMs: kStatementMs, answerWithinMs: kLong });
  const free = () => holder.unsafe(`select pg_advisory_unlock(1)`);
  const patient = database.transaction({ mode: 'tables' }, async (tx) => {
    const locked = tx.query(kLock);
    // By then both limits of the one that waits have passed, by the clock that counts them.
    for (let ms = 0; ms <= kAnswerMs; ms += kStatementMs) {
      await expect(impatient.query(`select pg_advisory_lock_shared(1)`)).rejects.toMatchObject({
        code: '57014',
      });
    }
    await free();
    return locked;
  });
  expect(await patient).toHaveLength(1);
  await database.query(`select pg_advisory_unlock(1)::text as unlocked`);
});

test('a connection that is written to all the time, and answers nothing, is lost all the same', async () => {
  await holder.unsafe(kLock);
  const patience = { statementMs: kLong, answerWithinMs: kAnswerMs };
  const connection = await PgConnection.open(url, {}, patience);
  const hangs = connection.query(kLock, []).then(
    () => 'answered',
    (error: unknown) => error,
  );
  const sent: Promise<unknown>[] = [];
  const more = setInterval(() => sent.push(connection.query('select 1', []).catch(() => {})), 100);
  try {
    expect(await hangs).toBeInstanceOf(DatabaseTimeout);
  } finally {
    clearInterval(more);
    connection.discard();
  }
  expect(sent.length).toBeGreaterThan(3);
  await Promise.all(sent);
});

test('where nobody answers, all who wait for a connection learn it with the first', async () => {
  const dialled: Socket[] = [];
  const silent = createServer((socket) => dialled.push(socket));
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  const { port } = silent.address() as AddressInfo;
  const pool = new PgPool(`postgres://x@127.0.0.1:${port}/x`, 2, limits);
  const all = Array.from({ length: 20 }, () => pool.take().catch((error: unknown) => error));
  for (const error of await Promise.all(all)) expect(isUnavailable(error)).toBe(true);
  // One a place: not one for each who waited, one after the other.
  expect(dialled).toHaveLength(2);
  for (const socket of dialled) socket.destroy();
  silent.close();
});
