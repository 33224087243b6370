// PGlite, made durable and exclusive. As it comes it starts with -F and has no fsync: what it acknowledged survives the
// death of the process, not of the machine. Here fsync reaches the files, and the directory is locked.

import { fsyncSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { NodeFS } from '@electric-sql/pglite/nodefs';
import type { Database, Param, Queryable, TransactionOptions } from './database.ts';
import { lockDirectory } from './directory-lock.ts';

interface Stream {
  readonly nfd: number;
}
interface NodeFileSystemModule {
  readonly NODEFS: { stream_ops: { fsync?: (stream: Stream) => number } };
}

/** How often the database has asked for its writes to reach the disk; the tests of durability count it. */
export const fsyncCount = { value: 0 };

/**
 * What was written may or may not be on the disk, and asking again would claim that it is: like PostgreSQL, end at once.
 * The next start recovers from the log. Throwing would not do: the engine takes it for success.
 */
function die(error: unknown): never {
  console.error('The database could not keep what was written; the server ends here.', error);
  process.exit(1);
}

class DurableNodeFS extends NodeFS {
  override async init(pg: PGlite, options: Parameters<NodeFS['init']>[1]) {
    const result = await super.init(pg, options);
    const hook = (module: unknown) => {
      (module as NodeFileSystemModule).NODEFS.stream_ops.fsync = (stream) => {
        fsyncCount.value++;
        try {
          fsyncSync(stream.nfd);
        } catch (error) {
          die(error);
        }
        return 0;
      };
    };
    const preRun = result.emscriptenOpts.preRun;
    const before = preRun === undefined ? [] : Array.isArray(preRun) ? preRun : [preRun];
    return { emscriptenOpts: { ...result.emscriptenOpts, preRun: [...before, hook as never] } };
  }
}

const startParams = [
  ...PGlite.defaultStartParams.filter((param) => param !== '-F'),
  ...['-c', 'wal_sync_method=fsync'],
];

interface PGliteQueries {
  query(sql: string, params?: Param[]): Promise<{ rows: unknown[] }>;
}

/** After these the engine is of no more use: its next call never comes back. A full disk ends in one of them. */
const kEnds = new Set<unknown>(['PANIC', 'FATAL']);

function queryable(target: PGliteQueries): Queryable {
  return {
    async query<Row extends object>(sql: string, params: readonly Param[] = []) {
      try {
        return (await target.query(sql, [...params])).rows as Row[];
      } catch (error) {
        if (kEnds.has((error as { severity?: unknown } | null)?.severity)) die(error);
        throw error;
      }
    },
  };
}

/** Opens the database in `directory`, or one in memory where there is none (for tests). */
export async function openPGlite(directory: string | null): Promise<Database> {
  const lock = directory === null ? null : await lockDirectory(resolve(directory));
  let pg: PGlite;
  try {
    pg = await openEngine(directory);
  } catch (error) {
    await lock?.release();
    throw error;
  }
  return {
    kind: 'pglite',
    ...queryable(pg),
    async execute(sql) {
      await pg.exec(sql);
    },
    async transaction<Value>(
      options: TransactionOptions,
      work: (tx: Queryable) => Promise<Value>,
    ): Promise<Value> {
      try {
        return await pg.transaction(async (tx) => {
          if (options.mode === 'snapshot') {
            await tx.query('set transaction isolation level repeatable read, read only');
          }
          return work(queryable(tx));
        });
      } catch (error) {
        // The commit itself is a statement of the engine's own.
        if (kEnds.has((error as { severity?: unknown } | null)?.severity)) die(error);
        throw error;
      }
    },
    async close() {
      await pg.close();
      await lock?.release();
    },
  };
}

async function openEngine(directory: string | null): Promise<PGlite> {
  if (directory === null) return PGlite.create();
  const folder = join(resolve(directory), 'pg');
  mkdirSync(folder, { recursive: true });
  return PGlite.create({ fs: new DurableNodeFS(folder), startParams });
}
