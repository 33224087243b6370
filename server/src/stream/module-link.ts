// The server's side of the process of the schema module (module-process.ts). It starts when there is something to fold, and
// ends when there was nothing for a while. An answer that takes too long ends it, and so does the end of its memory: the
// stream that it was folding is at fault then, and the next one has a new process.

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { limits } from '../base/limits.ts';
import { threadFile } from '../base/threads.ts';
import type { FoldLimits } from './fold-work.ts';
import {
  type ApartReason,
  type FoldBegin,
  type FoldDone,
  type FoldedAction,
  type Folder,
  FolderAway,
  FolderGone,
  type MadeState,
  type PageDone,
  Unfoldable,
} from './folder.ts';

export interface ModuleOptions {
  /** The URL of the module. */
  readonly module: string;
  readonly limits: FoldLimits;
  /** The most memory of the process in all. */
  readonly processBytes: number;
}

export type FolderRequest =
  | { readonly begin: FoldBegin }
  | { readonly page: readonly FoldedAction[] }
  | { readonly what: 'finish' | 'kept' };

export type FolderAnswer =
  | { readonly value: unknown }
  | { readonly unfoldable: { readonly reason: ApartReason; readonly detail: string } }
  | { readonly away: string };

export interface ModuleLinkOptions {
  readonly module: URL;
  readonly limits: FoldLimits;
  /** MB of the heap. */
  readonly memory: number;
  /** The time for each answer. */
  readonly seconds: number;
  /** A process that has nothing to do for so long ends. */
  readonly idleMs?: number;
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
class Child {
  readonly #options: ModuleLinkOptions;
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  #waiting: { resolve(answer: FolderAnswer): void; reject(error: unknown): void } | null = null;
  gone: FolderGone | FolderAway | null = null;

  constructor(options: ModuleLinkOptions) {
    const { module, limits, memory } = options;
    this.#options = options;
    // The heap, and as much outside of it; a Node that has just started has some 60 MB.
    const processBytes = (2 * memory + 128) * 2 ** 20;
    const own: ModuleOptions = { module: module.href, limits, processBytes };
    this.#process = fork(fileURLToPath(threadFile('module-process')), [JSON.stringify(own)], {
      execArgv: flagsOf(process.execArgv, memory),
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#ended = new Promise((resolve) => {
      this.#process.once('exit', (code, signal) => {
        this.#end(this.#whyEnded(code, signal));
        resolve();
      });
      this.#process.once('error', (error) => {
        this.#end(new FolderGone('ended', error.message));
        if (this.#process.pid === undefined) resolve();
      });
    });
    this.#process.on('message', (answer: FolderAnswer) => {
      const waiting = this.#waiting;
      this.#waiting = null;
      waiting?.resolve(answer);
    });
  }

  /** Resolves with its next answer. */
  async answer(ask: FolderRequest | null, withinMs: number): Promise<unknown> {
    if (this.gone !== null) throw this.gone;
    const late = setTimeout(() => {
      const detail = `Its reducer takes longer than ${withinMs / 1000} s for a page of actions.`;
      void this.kill(new FolderGone('time', detail));
    }, withinMs);
    try {
      const answer = await new Promise<FolderAnswer>((resolve, reject) => {
        this.#waiting = { resolve, reject };
        // A process that cannot be written to has ended, or will: its end is the answer.
        if (ask !== null) this.#process.send(ask, () => {});
      });
      if ('value' in answer) return answer.value;
      if ('away' in answer) throw new FolderAway(answer.away);
      throw new Unfoldable(answer.unfoldable.reason, answer.unfoldable.detail);
    } finally {
      clearTimeout(late);
    }
  }

  kill(reason: FolderGone | FolderAway): Promise<void> {
    this.#end(reason);
    this.#process.kill('SIGKILL');
    return this.#ended;
  }

  #end(reason: FolderGone | FolderAway): void {
    this.gone ??= reason;
    this.#waiting?.reject(this.gone);
    this.#waiting = null;
  }

  #whyEnded(code: number | null, signal: NodeJS.Signals | null): FolderGone {
    const { memory } = this.#options;
    if (code === kAborted || signal === 'SIGABRT' || signal === 'SIGKILL')
      return new FolderGone('memory', `Its reducer needs more than ${memory} MB of memory.`);
    return new FolderGone('ended', `Its reducer has ended the process (${signal ?? code}).`);
  }
}

export class ModuleLink implements Folder {
  readonly #options: ModuleLinkOptions;
  #child: Child | null = null;
  #idle: NodeJS.Timeout | null = null;
  #failed: { readonly error: FolderAway; readonly at: number } | null = null;
  #isClosed = false;

  constructor(options: ModuleLinkOptions) {
    this.#options = options;
  }

  async begin(begin: FoldBegin): Promise<void> {
    const failed = this.#failed;
    if (failed !== null && performance.now() - failed.at < limits.modulePauseMs) throw failed.error;
    try {
      if (this.#child === null || this.#child.gone !== null) await this.#start();
      await this.#ask({ begin });
    } catch (error) {
      // It would fail again at once, for any stream.
      if (error instanceof FolderAway) this.#failed = { error, at: performance.now() };
      throw error;
    }
  }

  page(actions: readonly FoldedAction[]): Promise<PageDone> {
    return this.#ask({ page: actions }) as Promise<PageDone>;
  }

  finish(): Promise<FoldDone> {
    return this.#ask({ what: 'finish' }) as Promise<FoldDone>;
  }

  kept(): Promise<MadeState | null> {
    return this.#ask({ what: 'kept' }) as Promise<MadeState | null>;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#rest(null);
    // What it was folding is not at fault.
    await this.#child?.kill(new FolderAway('The server stops.'));
  }

  async #ask(ask: FolderRequest): Promise<unknown> {
    const child = this.#child;
    if (child === null) throw new FolderAway('There is no process.');
    this.#rest(null);
    try {
      return await child.answer(ask, this.#options.seconds * 1000);
    } finally {
      if (child.gone === null && !this.#isClosed) this.#rest(child);
    }
  }

  /** A process that nothing is asked of for a while ends. */
  #rest(child: Child | null): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
    if (child === null) return;
    this.#idle = setTimeout(
      () => void child.kill(new FolderAway('There was nothing to fold.')),
      this.#options.idleMs ?? limits.moduleIdleMs,
    );
    this.#idle.unref();
  }

  /** What fails at the start is not the stream's fault. */
  async #start(): Promise<void> {
    if (this.#isClosed) throw new FolderAway('The server stops.');
    this.#child = new Child(this.#options);
    try {
      await this.#child.answer(null, limits.moduleStartMs);
    } catch (error) {
      const message = `The process of the schema module could not start: ${(error as Error).message}`;
      const away = new FolderAway(message, { cause: error });
      await this.#child.kill(away);
      throw away;
    }
  }
}
