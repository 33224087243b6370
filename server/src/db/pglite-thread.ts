// PGlite, made durable, in a thread of its own, because its statements run as WebAssembly and would block the event
// loop that answers requests. By default it starts with -F and without fsync: an acknowledged write survives the
// death of the process, but not of the machine. Here fsync reaches the files.
//
// Batches of statements arrive, and are answered in order (pglite-session.ts is the other side).

import { fsyncSync, mkdirSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { NodeFS } from '@electric-sql/pglite/nodefs';
import type {
  FromPgliteThread,
  PgliteThreadOptions,
  StatementError,
  ToPgliteThread,
} from './pglite-session.ts';

interface Stream {
  readonly nfd: number;
}
interface NodeFileSystemModule {
  readonly NODEFS: { stream_ops: { fsync?: (stream: Stream) => number } };
}

if (parentPort === null) throw new Error('This file is the entry of a thread.');
const port = parentPort;
const { folder, fsyncs } = workerData as PgliteThreadOptions;
const fsyncCount = new Int32Array(fsyncs);

function say(message: FromPgliteThread): void {
  port.postMessage(message);
}

/**
 * After a failed fsync the data may or may not be on the disk, and a second fsync would report success. Like
 * PostgreSQL, end at once; the next start recovers from the log. Throwing is not enough: the engine would take it for
 * success. The process ends when its main thread gets the message; until then this thread does nothing more.
 */
function die(error: unknown): never {
  say({ died: describe(error) });
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  throw error;
}

/** An error keeps only its text when it is sent to another thread. */
function describe(error: unknown): StatementError {
  const { message, code, severity, detail, stack } = (error ?? {}) as Partial<
    StatementError & { stack: string }
  >;
  return { message: String(message ?? error), code, severity, detail, stack };
}

class DurableNodeFS extends NodeFS {
  override async init(pg: PGlite, options: Parameters<NodeFS['init']>[1]) {
    const result = await super.init(pg, options);
    const hook = (module: unknown) => {
      (module as NodeFileSystemModule).NODEFS.stream_ops.fsync = (stream) => {
        Atomics.add(fsyncCount, 0, 1);
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

function open(): Promise<PGlite> {
  if (folder === null) return PGlite.create();
  mkdirSync(folder, { recursive: true });
  return PGlite.create({ fs: new DurableNodeFS(folder), startParams });
}

/**
 * After an error of these severities the engine is unusable: its next call never returns. A full disk causes one of
 * them.
 */
const kEnds = new Set<unknown>(['PANIC', 'FATAL']);

async function run(
  pg: PGlite,
  batch: Extract<ToPgliteThread, { statements: unknown }>,
): Promise<void> {
  const results: Extract<FromPgliteThread, { results: unknown }>['results'][number][] = [];
  const began = performance.now();
  for (const { sql, params } of batch.statements) {
    try {
      if (params === null) {
        const { command = '' } = ((await pg.exec(sql)).at(-1) ?? {}) as { command?: string };
        results.push({ tag: command });
      } else {
        results.push({ rows: (await pg.query(sql, [...params])).rows as object[] });
      }
    } catch (error) {
      if (kEnds.has((error as { severity?: unknown } | null)?.severity)) die(error);
      results.push({ error: describe(error) });
    }
  }
  say({ results, ms: performance.now() - began });
}

try {
  const pg = await open();
  let last: Promise<void> = Promise.resolve();
  port.on('message', (message: ToPgliteThread) => {
    last = last.then(async () => {
      if ('statements' in message) return run(pg, message);
      await pg.close();
      port.close();
      return undefined;
    });
  });
  say({ ready: true });
} catch (error) {
  say({ failed: describe(error) });
  port.close();
}
