// Goal: a statement that hangs ends in a typed error, not in a caller that waits for ever, and the connections
// continue. Method: a lock that another connection holds until the end of the test, with short limits.

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { limits } from '../../../server/src/base/limits.ts';
import {
  type Database,
  DatabaseTimeout,
  isTimeout,
  isUnavailable,
} from '../../../server/src/db/database.ts';
import { type Patience, PgConnection } from '../../../server/src/db/pg-connection.ts';
import { SessionPool } from '../../../server/src/db/pool.ts';
import { openPostgres } from '../../../server/src/db/postgres.ts';
import { connectTo, makeDatabase, postgresUrl } from '../support/database.ts';

const kLock = `select pg_advisory_lock(1)::text as locked`;
/** No other test waits for this lock. */
const kOwnLock = `select pg_advisory_lock(2)::text as locked`;
const kLong = 600_000;
/** Long enough for statements that do not hang, on a machine under load. */
const kStatementMs = 500;
const kAnswerMs = 3_000;
let url = '';
let holder: Client;
let open: Database[] = [];

beforeAll(async () => {
  url = await makeDatabase(String(postgresUrl), `test_${randomUUID().slice(0, 8)}`);
  holder = await connectTo(url);
  await holder.query(kLock);
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

/** Resolves when a statement waits for the lock that the test holds. */
async function waitingForLock(): Promise<void> {
  await expect
    .poll(async () => {
      const { rows } = await holder.query(
        `select 1 from pg_locks where locktype = 'advisory' and objid = 2 and not granted`,
      );
      return rows;
    })
    .toHaveLength(1);
}

test('cancels a statement that takes too long, and keeps its connection', async () => {
  const database = await opened({ statementMs: kStatementMs, answerWithinMs: kLong });
  const error = await database
    .transaction({ mode: 'write' }, (tx) => tx.query(kLock))
    .catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: '57014' });
  expect([isTimeout(error), isUnavailable(error)]).toEqual([true, true]);
  expect(await database.query(`select 'on' as it`)).toEqual([{ it: 'on' }]);
});

test('drops the connection of a database that does not answer, and opens another', async () => {
  const database = await opened({ statementMs: kLong, answerWithinMs: kAnswerMs });
  const error = await database
    .transaction({ mode: 'snapshot' }, (tx) => tx.query(kLock))
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(DatabaseTimeout);
  expect([isTimeout(error), isUnavailable(error)]).toEqual([true, true]);
  expect(await database.query(`select 'on' as it`)).toEqual([{ it: 'on' }]);
});

test('changes tables without a time limit', async () => {
  const database = await opened({ statementMs: kStatementMs, answerWithinMs: kAnswerMs });
  const impatient = await opened({ statementMs: kStatementMs, answerWithinMs: kLong });
  const free = () => holder.query(`select pg_advisory_unlock(1)`);
  const patient = database.transaction({ mode: 'tables' }, async (tx) => {
    const locked = tx.query(kLock);
    // By then both limits of the waiting statement have passed, by the clock that counts them.
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

test('drops a connection without answers even if statements are sent all the time', async () => {
  await holder.query(kLock);
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

test('fails all waiting callers at once when no connection can be opened', async () => {
  const dialled: Socket[] = [];
  const silent = createServer((socket) => dialled.push(socket));
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  const { port } = silent.address() as AddressInfo;
  const nowhere = `postgres://x@127.0.0.1:${port}/x`;
  const pool = new SessionPool(2, () => PgConnection.open(nowhere, {}, limits));
  const all = Array.from({ length: 20 }, () => pool.take().catch((error: unknown) => error));
  for (const error of await Promise.all(all)) expect(isUnavailable(error)).toBe(true);
  // One per place, not one for each waiting caller in turn.
  expect(dialled).toHaveLength(2);
  for (const socket of dialled) socket.destroy();
  silent.close();
});

test('cancels the statement of a disconnected caller, and keeps the connection', async () => {
  const database = await opened({ statementMs: kLong, answerWithinMs: kLong });
  await holder.query(kOwnLock);
  const gone = new AbortController();
  const reason = new Error('the caller has gone');
  const running = database.transaction({ mode: 'snapshot', signal: gone.signal }, (tx) =>
    Promise.all([tx.query(`select 'first' as it`), tx.query(kOwnLock)]),
  );
  await waitingForLock();
  gone.abort(reason);
  await expect(running).rejects.toBe(reason);
  // The same connection, in a pool of one: nothing was lost, and the cancellation hits no later statement.
  for (let i = 0; i < 20; i++) {
    expect(await database.query(`select 'on' as it`)).toEqual([{ it: 'on' }]);
  }
});

test('removes a disconnected caller from the queue for a connection', async () => {
  const database = await opened({ statementMs: kLong, answerWithinMs: kLong });
  const [first, gone] = [new AbortController(), new AbortController()];
  const holding = database.transaction({ mode: 'snapshot', signal: first.signal }, (tx) =>
    tx.query(kOwnLock),
  );
  await waitingForLock();
  let ran = false;
  const waiting = database.transaction({ mode: 'snapshot', signal: gone.signal }, async () => {
    ran = true;
  });
  const behind = database.query(`select 'on' as it`);
  const reason = new Error('the caller has gone');
  gone.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  first.abort(reason);
  await expect(holding).rejects.toBe(reason);
  expect(await behind).toEqual([{ it: 'on' }]);
  expect(ran).toBe(false);
});

test('drops the connection of a cancelled statement that does not end', async () => {
  await holder.query(kOwnLock);
  const patience = { statementMs: kLong, answerWithinMs: kLong };
  const connection = await PgConnection.open(url, { cancel: async () => {} }, patience);
  const hangs = connection.query(kOwnLock, []).catch((error: unknown) => error);
  await connection.cancel();
  expect(await hangs).toBeInstanceOf(DatabaseTimeout);
  expect(connection.lost).toBe(true);
});

test('commits nothing of a transaction whose connection was killed', async () => {
  const database = await opened({ statementMs: kLong, answerWithinMs: kLong });
  await database.execute('create table kept (n text)');
  const error = await database
    .transaction({ mode: 'write' }, async (tx) => {
      const [row] = await tx.query(
        `insert into kept values ('first') returning pg_backend_pid()::text as pid`,
      );
      await holder.query('select pg_terminate_backend($1)', [row?.pid]);
      await tx.query(`insert into kept values ('second')`);
    })
    .catch((reason: unknown) => reason);
  expect(isUnavailable(error)).toBe(true);
  expect(await database.query('select n from kept')).toEqual([]);
});
