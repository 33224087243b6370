// A process that runs the application's code, and answers the server one question after the other (child-link.ts is the other
// side). A process, because the end of a thread's memory can end the process that it is in. A thread of it watches while the
// code runs: it ends the process together with the server, or beyond its memory.

import { fileURLToPath } from 'node:url';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { thrownText } from '../base/thrown.ts';
import type { ChildOptions } from './child-link.ts';

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

/** `file`: the URL of the program itself. `load` resolves with the function that answers. */
export function serveParent<Options extends ChildOptions, Ask, Answer>(
  file: string,
  load: (options: Options) => Promise<(ask: Ask) => Answer | Promise<Answer>>,
): void {
  if (!isMainThread) {
    watch(workerData as Watch);
    return;
  }
  const options = JSON.parse(process.argv[2] ?? 'null') as Options;
  const say = (answer: unknown) => process.send?.(answer);
  // These are for the server, which may still want an answer: a terminal sends them to both.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
  process.once('disconnect', () => process.exit());
  new Worker(fileURLToPath(file), {
    workerData: { parent: process.ppid, bytes: options.processBytes } satisfies Watch,
    execArgv: [],
  });
  load(options).then(
    (answer) => {
      let last: Promise<unknown> = Promise.resolve();
      process.on('message', (ask: Ask) => {
        last = last.then(async () => say(await answer(ask)));
      });
      say({ value: 'ready' });
    },
    (error: unknown) => say({ away: thrownText(error) }),
  );
}
