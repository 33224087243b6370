// The server's side of a process that runs the application's code. It starts when there is something to do, and ends when
// there was nothing for a while. It is asked for one thing at a time. An answer that takes too long ends it, and so does the end
// of its memory: what it was asked for is at fault then, and the next question has a new process.

import { type ChildProcess, fork, type Serializable } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { limits } from '../base/limits.ts';
import { type ThreadName, threadFile } from '../base/threads.ts';

/** What the process is started with, as JSON. */
export interface ChildOptions {
  /** The URL of the application's module. */
  readonly module: string;
  /** The most memory of the process in all. */
  readonly processBytes: number;
}

/** Why a process has ended while it was asked. */
export type EndReason = 'memory' | 'time' | 'ended';

export interface ChildLinkOptions {
  readonly file: ThreadName;
  readonly module: URL;
  /** Members of what the process is started with, besides those of ChildOptions. */
  readonly own?: object;
  /** MB of the heap. */
  readonly memory: number;
  /** The time for each answer. */
  readonly seconds: number;
  /** A process that has nothing to do for so long ends. Null: it stays. */
  readonly idleMs?: number | null;
  /** The error for the question by which the process has ended, or may have. */
  gone(reason: EndReason, detail: string): Error;
  /** The error if the process cannot run at all, or ends for another reason. */
  away(message: string, options?: ErrorOptions): Error;
}

/** Node's exit code after an abort, where there are no signals. */
const kAborted = 134;

/** Flags that only the process which was started with them can have: its debugger, and a program that is text. */
const kOwn = /^--(inspect|max-old-space-size|input-type)/;
const kProgram = /^(-e|--eval|-p|--print|-pe)$/;

/** Node's flags for the process: the server's own, but for those. */
export function flagsOf(own: readonly string[], memory: number): string[] {
  const inherited = own.filter(
    (flag, i) => !kOwn.test(flag) && !kProgram.test(flag) && !kProgram.test(own[i - 1] ?? ''),
  );
  return [...inherited, `--max-old-space-size=${memory}`];
}

/** One process. Its `gone` says why it has ended. */
class Child<Ask, Answer> {
  readonly #options: ChildLinkOptions;
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  #waiting: { resolve(answer: Answer): void; reject(error: unknown): void } | null = null;
  gone: Error | null = null;

  constructor(options: ChildLinkOptions) {
    const { file, module, own, memory } = options;
    this.#options = options;
    // The heap, and as much outside of it; a Node that has just started has some 60 MB.
    const processBytes = (2 * memory + 128) * 2 ** 20;
    const start: ChildOptions = { ...own, module: module.href, processBytes };
    this.#process = fork(fileURLToPath(threadFile(file)), [JSON.stringify(start)], {
      execArgv: flagsOf(process.execArgv, memory),
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#process.unref();
    this.#ended = new Promise((resolve) => {
      this.#process.once('exit', (code, signal) => {
        this.#end(this.#whyEnded(code, signal));
        resolve();
      });
      this.#process.once('error', (error) => {
        this.#end(options.gone('ended', error.message));
        if (this.#process.pid === undefined) resolve();
      });
    });
    this.#process.on('message', (answer: Answer) => {
      const waiting = this.#waiting;
      this.#waiting = null;
      waiting?.resolve(answer);
    });
  }

  /** Resolves with its next answer. */
  async answer(ask: Ask | null, withinMs: number): Promise<Answer> {
    if (this.gone !== null) throw this.gone;
    this.#process.channel?.ref();
    const late = setTimeout(() => {
      void this.kill(this.#options.gone('time', `it takes longer than ${withinMs / 1000} s`));
    }, withinMs);
    try {
      return await new Promise<Answer>((resolve, reject) => {
        this.#waiting = { resolve, reject };
        // A process that cannot be written to has ended, or will: its end is the answer.
        if (ask !== null) this.#process.send(ask as Serializable, () => {});
      });
    } finally {
      clearTimeout(late);
      // A program that has nothing else to do may end.
      this.#process.channel?.unref();
    }
  }

  kill(reason: Error): Promise<void> {
    this.#end(reason);
    this.#process.kill('SIGKILL');
    return this.#ended;
  }

  #end(reason: Error): void {
    this.gone ??= reason;
    this.#waiting?.reject(this.gone);
    this.#waiting = null;
  }

  #whyEnded(code: number | null, signal: NodeJS.Signals | null): Error {
    const { memory, gone } = this.#options;
    if (code === kAborted || signal === 'SIGABRT' || signal === 'SIGKILL')
      return gone('memory', `it needs more than ${memory} MB of memory`);
    return gone('ended', `it has ended the process (${signal ?? code})`);
  }
}

export class ChildLink<Ask, Answer> {
  readonly #options: ChildLinkOptions;
  #child: Child<Ask, Answer> | null = null;
  #idle: NodeJS.Timeout | null = null;
  #failed: { readonly error: Error; readonly at: number } | null = null;
  #isClosed = false;

  constructor(options: ChildLinkOptions) {
    this.#options = options;
  }

  /** Starts the process, unless it runs. One that could not start is not tried again for a while. */
  async start(): Promise<void> {
    const failed = this.#failed;
    if (failed !== null && performance.now() - failed.at < limits.modulePauseMs) throw failed.error;
    if (this.#child !== null && this.#child.gone === null) return;
    try {
      await this.#start();
    } catch (error) {
      this.failed(error as Error);
      throw error;
    }
  }

  /** It would fail again at once. */
  failed(error: Error): void {
    this.#failed = { error, at: performance.now() };
  }

  /** Asks the process that runs. */
  async ask(ask: Ask): Promise<Answer> {
    const child = this.#child;
    if (child === null) throw this.#options.away('There is no process.');
    this.#rest(null);
    try {
      return await child.answer(ask, this.#options.seconds * 1000);
    } finally {
      if (child.gone === null && !this.#isClosed) this.#rest(child);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#rest(null);
    // What it was asked for is not at fault.
    await this.#child?.kill(this.#options.away('The server stops.'));
  }

  /** A process that nothing is asked of for a while ends. */
  #rest(child: Child<Ask, Answer> | null): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
    const { idleMs = limits.moduleIdleMs } = this.#options;
    if (child === null || idleMs === null) return;
    this.#idle = setTimeout(
      () => void child.kill(this.#options.away('There was nothing to do.')),
      idleMs,
    );
    this.#idle.unref();
  }

  /** What fails at the start is nobody's fault but the module's. */
  async #start(): Promise<void> {
    const { away } = this.#options;
    if (this.#isClosed) throw away('The server stops.');
    const child = new Child<Ask, Answer>(this.#options);
    this.#child = child;
    try {
      const started = (await child.answer(null, limits.moduleStartMs)) as { away?: string };
      if (started.away !== undefined) throw new Error(started.away);
    } catch (error) {
      const message = `The process of the schema module could not start: ${(error as Error).message}`;
      const failed = away(message, { cause: error });
      await child.kill(failed);
      throw failed;
    }
  }
}
