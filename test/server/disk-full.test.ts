// Goal: on a disk without room writes are refused, reads go on, nothing is lost, and all goes on when there is room; a
// database that does not start is not started at every call. Method: PGlite on a disk whose free bytes the test says; and
// a folder whose database is taken away while its thread is ended.

import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type Database,
  DatabaseTimeout,
  DiskFull,
  isAway,
  isUnavailable,
} from '../../server/src/db/database.ts';
import { openPGlite } from '../../server/src/db/pglite.ts';
import { Restarts } from '../../server/src/db/restarts.ts';
import { patience } from '../support/patience.ts';

const kLeast = 1_000_000;
const disk = { free: kLeast };
const warned: string[] = [];
let folder: string;
let db: Database;

const open = (pgliteStatementMs: number) =>
  openPGlite(join(folder, 'data'), {
    pgliteStatementMs,
    diskReserveBytes: kLeast,
    warn: (message) => warned.push(message),
    freeBytes: async () => disk.free,
  });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'skerry-full-'));
  warned.length = 0;
  disk.free = kLeast;
  db = await open(patience(3_000));
  await db.execute('create table t (n integer)');
}, 60_000);
afterEach(async () => {
  await db.close();
  rmSync(folder, { recursive: true, force: true });
});

const write = (n: number) =>
  db.transaction({ mode: 'write' }, (tx) =>
    tx.query('insert into t values ($1::text::integer)', [String(n)]),
  );
const read = () =>
  db.transaction({ mode: 'snapshot' }, (tx) => tx.query('select n::text as n from t order by n'));
/** Resolves with the error when the answer of the disk is asked for again. */
const refused = async (n: number) => {
  let error: unknown = null;
  await expect
    .poll(async () => {
      error = await write(n).then(
        () => null,
        (reason: unknown) => reason,
      );
      return error;
    })
    .toBeInstanceOf(DiskFull);
  return error;
};

test('refuses writes on a full disk, answers reads, and goes on when there is room', async () => {
  await write(1);
  disk.free = kLeast - 1;
  const error = await refused(1);
  expect([isUnavailable(error), isAway(error)]).toEqual([true, true]);
  expect(String(error)).toMatch(/disk of the database is full/);
  const before = (await read()).length;
  const more = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => write(i)));
  for (const { status } of more) expect(status).toBe('rejected');
  expect((await read()).length).toBe(before);
  expect(warned).toEqual([expect.stringMatching(/disk of the database is full.*reads go on/)]);
  disk.free = kLeast;
  await expect.poll(() => write(2).then(() => 'written', String)).toBe('written');
  expect((await read()).length).toBe(before + 1);
  expect(warned).toEqual([expect.anything(), 'The disk has room again.']);
}, 60_000);

test('a database that does not start is unavailable, and its thread ends', async () => {
  await write(1);
  // It takes too long, and its thread is ended.
  const long = db.query('select count(*)::text as n from generate_series(1, 1000000000)');
  await expect(long).rejects.toThrow(DatabaseTimeout);
  renameSync(join(folder, 'data', 'pg'), join(folder, 'pg-away'));
  writeFileSync(join(folder, 'data', 'pg'), 'this is no folder');
  const errors = await Promise.all(
    Array.from({ length: 10 }, () => read().catch((error: unknown) => error)),
  );
  for (const error of errors) expect(isUnavailable(error)).toBe(true);
  expect(String(errors[0])).toMatch(/does not start/);
  rmSync(join(folder, 'data', 'pg'));
  renameSync(join(folder, 'pg-away'), join(folder, 'data', 'pg'));
  await expect.poll(() => read().catch(String), { timeout: 30_000 }).toEqual([{ n: '1' }]);
}, 120_000);

test('starts again after a pause that doubles, and is reset by a success', async () => {
  const clock = { ms: 0 };
  const restarts = new Restarts(1_000, 3_000, () => clock.ms);
  let starts = 0;
  let fails = true;
  const start = () =>
    restarts
      .try(async () => {
        starts++;
        if (fails) throw new Error(`start ${starts}`);
        return 'started';
      })
      .catch((error: unknown) => (error as Error).message);
  for (const pauseMs of [1_000, 2_000, 3_000, 3_000]) {
    const said = await start();
    expect(said).toBe(`start ${starts}`);
    clock.ms += pauseMs - 1;
    for (let i = 0; i < 10; i++) expect(await start()).toBe(said);
    clock.ms += 1;
  }
  expect(starts).toBe(4);
  fails = false;
  expect(await start()).toBe('started');
  fails = true;
  expect(await start()).toBe('start 6');
  clock.ms += 1_000;
  expect(await start()).toBe('start 7');
});
