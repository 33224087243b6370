// The process of the schema module: it imports the module again, and folds streams by its reducers. A process, because
// the end of a thread's memory can end the process that it is in. It is asked for one thing at a time (module-link.ts is the
// other side). A thread of it watches while a reducer runs: it ends the process together with the server, or beyond its memory.

import { setImmediate as otherWork } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { FoldWork } from './fold-work.ts';
import { thrownText, Unfoldable } from './folder.ts';
import type { FolderAnswer, FolderRequest, ModuleOptions } from './module-link.ts';
import { ReducerTable, valuesOf } from './reducers.ts';

const kLookMs = 100;

interface Watch {
  readonly parent: number;
  readonly bytes: number;
}

function watch({ parent, bytes }: Watch): void {
  setInterval(() => {
    const isWanted = process.ppid === parent && process.memoryUsage.rss() <= bytes;
    if (!isWanted) process.kill(process.pid, 'SIGKILL');
  }, kLookMs);
}

async function load({ module: href, limits }: ModuleOptions): Promise<FoldWork> {
  const module = (await import(href)) as Record<string, unknown>;
  const values = valuesOf(module.default ?? module.app);
  return new FoldWork(new ReducerTable(module.reducers), values, limits, otherWork);
}

async function answerTo(work: FoldWork, ask: FolderRequest): Promise<FolderAnswer> {
  try {
    if ('begin' in ask) return { value: work.begin(ask.begin) };
    if ('page' in ask) return { value: await work.page(ask.page) };
    return { value: ask.what === 'finish' ? work.finish() : work.kept() };
  } catch (error) {
    if (error instanceof Unfoldable)
      return { unfoldable: { reason: error.reason, detail: error.message } };
    return { away: thrownText(error) };
  }
}

function serve(): void {
  const options = JSON.parse(process.argv[2] ?? 'null') as ModuleOptions;
  const say = (answer: FolderAnswer) => process.send?.(answer);
  // These are for the server, which may still want an answer: a terminal sends them to both.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
  process.once('disconnect', () => process.exit());
  new Worker(fileURLToPath(import.meta.url), {
    workerData: { parent: process.ppid, bytes: options.processBytes } satisfies Watch,
    execArgv: [],
  });
  load(options).then(
    (work) => {
      let last: Promise<unknown> = Promise.resolve();
      process.on('message', (ask: FolderRequest) => {
        last = last.then(async () => say(await answerTo(work, ask)));
      });
      say({ value: 'ready' });
    },
    (error: unknown) => say({ away: thrownText(error) }),
  );
}

if (isMainThread) serve();
else watch(workerData as Watch);
