// What a start does to the tables before anything is served: migrations, the schema, and the triggers that log what other
// programs write.

import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { installCapture } from './capture/install.ts';
import { type Database, type Queryable, sqlState } from './db/database.ts';
import { readAdoptedNames } from './sql/adopted-names.ts';
import { applySchema } from './sql/apply-schema.ts';
import type { SchemaDescription } from './sql/description.ts';
import { inPresentNames } from './sql/former-names.ts';
import { withLeftColumns } from './sql/left-columns.ts';
import { readMeta, writeMeta } from './sql/meta.ts';
import { lockTables, migrate } from './sql/migrations.ts';
import { readNewest, widenedBy, writeNewest } from './sql/newest-schema.ts';
import { kWriteAnything } from './sql/own-writes.ts';
import { renameTables } from './sql/renames.ts';
import { sqlSchema } from './sql/tables.ts';

/** After a deadlock with a push, which continues. */
const kDeadlockTries = 5;
/** While other programs hold locks on the tables. */
const kLockTries = 30;
const kLockPauseMs = 1_000;
/** How long a change of a table waits for others, while all later statements on the table wait for it. */
const kLockWithinMs = 1_000;

/** For the sealed times of /v1/tables (plain/sealed-time.ts): one key for all nodes of a database. */
export const kTimesKey = 'times-key';
/** For realms tokens, unless the options have one. */
export const kRealmsKey = 'realms-key';

/**
 * Prepares the tables for this server, one node at a time; other nodes that serve meanwhile may conflict, and so may other
 * programs. Returns the schema to serve: its own, or the newer one that the database has been served with.
 */
export async function prepare(
  database: Database,
  own: SchemaDescription,
  warn: (message: string) => void,
): Promise<SchemaDescription> {
  await migrate(database);
  for (let attempt = 1; ; attempt++) {
    try {
      return await database.transaction({ mode: 'tables' }, (tx) => prepareIn(tx, own, warn));
    } catch (error) {
      const isLocked = sqlState(error) === '55P03';
      const tries = isLocked ? kLockTries : kDeadlockTries;
      // Any other error would happen again.
      if (attempt >= tries || !(isLocked || sqlState(error).startsWith('40'))) throw error;
      if (!isLocked) continue;
      if (attempt === 1)
        warn('Another program holds a lock on a table that has to change; the start waits for it.');
      await pause(kLockPauseMs);
    }
  }
}

async function prepareIn(
  tx: Queryable,
  own: SchemaDescription,
  warn: (message: string) => void,
): Promise<SchemaDescription> {
  await lockTables(tx);
  await tx.query(
    `select set_config('lock_timeout', '${kLockWithinMs}', true) as lock, ${kWriteAnything} as mark`,
  );
  const newest = await readNewest(tx);
  if ((await readMeta(tx, 'id')) === null) await writeMeta(tx, 'id', randomUUID());
  for (const key of [kTimesKey, kRealmsKey]) {
    if ((await readMeta(tx, key)) === null)
      await writeMeta(tx, key, randomBytes(32).toString('hex'));
  }
  const isOlder = newest !== null && newest.version > own.version;
  const served = isOlder ? widenedBy(newest, own) : own;
  if (newest !== null && !isOlder) await renameTables(tx, newest, own);
  const tables = sqlSchema(served, await readAdoptedNames(tx));
  const former = newest === null || isOlder ? null : inPresentNames(newest, own);
  await applySchema(tx, served, tables, former);
  await installCapture(tx, served, await withLeftColumns(tx, tables), warn);
  if (!isOlder) await writeNewest(tx, own);
  return served;
}
