// Goal: every commit that PGlite acknowledges has reached the disk. Method: count the fsync calls that arrive at the
// files while transactions commit (PGlite makes none by default), and read everything back after a reopen.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { threadFile } from '../../server/src/base/threads.ts';
import {
  type Database,
  DatabaseTimeout,
  isTimeout,
  isUnavailable,
  refusesValues,
  sqlState,
} from '../../server/src/db/database.ts';
import { fsyncCount, openPGlite } from '../../server/src/db/pglite.ts';

let folder: string;
let db: Database;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'skerry-pglite-'));
  db = await openPGlite(folder);
}, 60_000);
afterAll(async () => {
  await db.close();
  rmSync(folder, { recursive: true, force: true });
});

test('every commit is an fsync of its own', async () => {
  await db.execute('create table t (n integer)');
  const before = fsyncCount.value;
  for (let i = 0; i < 50; i++) {
    await db.query('insert into t values ($1::text::integer)', [String(i)]);
  }
  expect(fsyncCount.value - before).toBeGreaterThanOrEqual(50);
  const [settings] = await db.query<{ fsync: string; method: string }>(
    `select current_setting('fsync') as fsync, current_setting('wal_sync_method') as method`,
  );
  expect(settings).toEqual({ fsync: 'on', method: 'fsync' });
});

test('a failed transaction leaves nothing, and its error has the cause', async () => {
  const failed = db.transaction({ mode: 'write' }, async (tx) => {
    await tx.query('insert into t values (1000)');
    await tx.query(`select $1::text::integer`, ['not a number']);
  });
  const error = await failed.catch((reason: unknown) => reason);
  expect(sqlState(error)).toBe('22P02');
  expect(refusesValues(error)).toBe(true);
  const [row] = await db.query<{ n: string }>('select count(*)::text as n from t where n = 1000');
  expect(row?.n).toBe('0');
});

test('a snapshot cannot write', async () => {
  const failed = db.transaction({ mode: 'snapshot' }, (tx) => tx.query('insert into t values (1)'));
  await expect(failed).rejects.toThrow(/read-only/);
});

test('keeps everything over a reopen', async () => {
  await db.close();
  db = await openPGlite(folder);
  const [row] = await db.query<{ n: string }>('select count(*)::text as n from t');
  expect(row?.n).toBe('50');
}, 60_000);

test('a running statement does not block the process', async () => {
  let turns = 0;
  let running = true;
  const turn = () => {
    turns++;
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  await db.query('select count(*)::text as n from generate_series(1, 500000)');
  running = false;
  expect(turns).toBeGreaterThan(50);
});

test('ends a statement that takes too long, rejects its waiters, keeps all commits', async () => {
  const impatient = await openPGlite(join(folder, 'impatient'), { pgliteStatementMs: 3_000 });
  try {
    await impatient.execute('create table t (n integer)');
    await impatient.query('insert into t values (1)');
    const heavy = impatient.transaction({ mode: 'write' }, (tx) =>
      Promise.all([
        tx.query('insert into t values (2)'),
        tx.query('select count(*)::text as n from generate_series(1, 1000000000)'),
      ]),
    );
    const error = await heavy.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DatabaseTimeout);
    expect([isTimeout(error), isUnavailable(error)]).toEqual([true, true]);
    expect(await impatient.query('select n::text as n from t')).toEqual([{ n: '1' }]);
    await expect(openPGlite(join(folder, 'impatient'))).rejects.toThrow(/in use/);
  } finally {
    await impatient.close();
  }
}, 60_000);

test('a failed fsync ends the process before anything is acknowledged', async () => {
  const data = join(folder, 'refused');
  const full = join(folder, 'full');
  const script = join(folder, 'refused.mjs');
  // In every thread of the process: once the file exists, no fsync succeeds.
  const preload = join(folder, 'preload.mjs');
  writeFileSync(
    preload,
    `import fs from 'node:fs';
     import { syncBuiltinESMExports } from 'node:module';
     const { fsyncSync } = fs;
     fs.fsyncSync = (descriptor) => {
       if (fs.existsSync(${JSON.stringify(full)})) throw new Error('EIO');
       fsyncSync(descriptor);
     };
     syncBuiltinESMExports();`,
  );
  await build({
    stdin: {
      contents: `import { writeFileSync } from 'node:fs';
        import { openPGlite } from './pglite.ts';
        const db = await openPGlite(${JSON.stringify(data)});
        await db.execute('create table if not exists t (n integer)');
        await db.query('insert into t values (1)');
        writeFileSync(${JSON.stringify(full)}, '');
        await db.query('insert into t values (2)');
        console.log('acknowledged');`,
      resolveDir: join(import.meta.dirname, '../../server/src/db'),
      loader: 'ts',
    },
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    // The entries of threads are searched beside the file.
    define: { 'import.meta.url': JSON.stringify(String(threadFile('pglite-thread'))) },
    outfile: script,
  });
  symlinkSync(join(import.meta.dirname, '../../node_modules'), join(folder, 'node_modules'));
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', preload, script], {
    encoding: 'utf8',
  });
  expect(stderr).toContain('EIO');
  expect([status, stdout]).toEqual([1, '']);
  const again = await openPGlite(data);
  const rows = await again.query<{ n: string }>('select n::text as n from t');
  await again.close();
  expect(rows).toContainEqual({ n: '1' });
});
