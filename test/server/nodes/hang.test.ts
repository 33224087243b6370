// Goal: a statement that hangs ends in a typed error, not in a caller that waits for ever, and the connections go on.
// Method: a lock that another connection holds to the end of the test, with limits that are short.

import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type Database,
  DatabaseTimeout,
  isTimeout,
  isUnavailable,
} from '../../../server/src/db/database.ts';
import type { Patience } from '../../../server/src/db/pg-connection.ts';
import { openPostgres } from '../../../server/src/db/postgres.ts';
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
