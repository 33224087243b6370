// Folds streams by the application's reducers. Those of the module that the command line names run in a thread of their own, with
// a limit of memory and of time: whatever they do, the process and other requests go on. Functions that were given to
// `createServer` without their module cannot be sent to a thread, and run here.

import { setImmediate as otherWork } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { limits } from '../base/limits.ts';
import { threadFile } from '../base/threads.ts';
import { type Failed, type FoldedAction, FoldFault, FoldState } from './fold-state.ts';
import type { FromFoldThread, ToFoldThread } from './fold-thread.ts';
import type { ReducerTable, ValueCodec } from './reducers.ts';
import type { StoredState } from './snapshot-rows.ts';

/** Folds one stream at a time. Each method throws FoldFault if the stream cannot be folded. */
export interface Folder {
  begin(stream: string, stored: StoredState | null): Promise<void>;
  fold(actions: readonly FoldedAction[]): Promise<Failed>;
  /** The state as JSON text, after all actions. */
  finish(): Promise<string>;
  close(): Promise<void>;
}

/** Other requests wait for no longer than this. */
const kAtOnceMs = 10;

/** In this process: bounded in size, and in nothing else. */
export class OwnFolder implements Folder {
  readonly #state: FoldState;

  constructor(reducers: ReducerTable, values: ValueCodec, stateBytes?: number) {
    this.#state = new FoldState(reducers, values, stateBytes);
  }

  async begin(stream: string, stored: StoredState | null): Promise<void> {
    this.#state.begin(stream, stored);
  }

  async fold(actions: readonly FoldedAction[]): Promise<Failed> {
    let count = 0;
    let first: Failed['first'] = null;
    let since = performance.now();
    for (const action of actions) {
      const failed = this.#state.fold(action);
      if (failed !== null) count++;
      first ??= failed;
      if (performance.now() - since < kAtOnceMs) continue;
      await otherWork();
      since = performance.now();
    }
    return { count, first };
  }

  async finish(): Promise<string> {
    const text = this.#state.text();
    this.#state.end();
    return text;
  }

  async close(): Promise<void> {
    this.#state.end();
  }
}

export interface FoldLimits {
  readonly memoryMb: number;
  /** For one page of actions. */
  readonly pageMs: number;
  readonly stateBytes: number;
}

const kLimits: FoldLimits = {
  memoryMb: limits.foldMemoryMb,
  pageMs: limits.foldPageMs,
  stateBytes: limits.stateBytes,
};

interface Waiting {
  resolve(answer: FromFoldThread): void;
  reject(error: Error): void;
}

/** In a thread, which imports the module by itself. It is started when it is needed, and again after it has ended. */
export class ThreadFolder implements Folder {
  readonly #module: string;
  readonly #limits: FoldLimits;
  #worker: Worker | null = null;
  #waiting: Waiting | null = null;

  /** `module`: the address of the module that exports the schema and its reducers. */
  constructor(module: string, given: Partial<FoldLimits> = {}) {
    this.#module = module;
    this.#limits = { ...kLimits, ...given };
  }

  async begin(stream: string, stored: StoredState | null): Promise<void> {
    // A module that loads slowly says nothing against the stream.
    if (this.#worker === null) await this.#start();
    await this.#ask({ begin: stream, stored });
  }

  async fold(actions: readonly FoldedAction[]): Promise<Failed> {
    const { failed } = await this.#ask({ fold: actions });
    return failed ?? { count: 0, first: null };
  }

  async finish(): Promise<string> {
    const { text = '' } = await this.#ask({ finish: true });
    return text;
  }

  async close(): Promise<void> {
    const [worker, waiting] = [this.#worker, this.#waiting];
    this.#worker = null;
    this.#waiting = null;
    waiting?.reject(new Error('The thread of the reducers was closed.'));
    await worker?.terminate();
  }

  async #start(): Promise<void> {
    const { memoryMb, stateBytes } = this.#limits;
    const worker = new Worker(threadFile('fold-thread'), {
      workerData: { module: this.#module, stateBytes },
      resourceLimits: { maxOldGenerationSizeMb: memoryMb },
    });
    this.#worker = worker;
    worker.on('message', (answer: FromFoldThread) => {
      const waiting = this.#waiting;
      this.#waiting = null;
      const { fault } = answer;
      if (fault === undefined) waiting?.resolve(answer);
      else waiting?.reject(new FoldFault(fault.kind, fault.message));
    });
    const ended = (fault: FoldFault) => {
      if (this.#worker !== worker) return;
      this.#worker = null;
      const waiting = this.#waiting;
      this.#waiting = null;
      waiting?.reject(fault);
    };
    worker.on('error', (error: Error & { code?: string }) => {
      const isFull = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      ended(
        isFull
          ? new FoldFault('memory', `Its reducer needs more than ${memoryMb} MB.`)
          : new FoldFault('ended', `Its reducer has ended the thread: ${error.message}`),
      );
    });
    worker.on('exit', () => ended(new FoldFault('ended', 'Its reducer has ended the thread.')));
    // The first answer says that the module is loaded.
    await new Promise<void>((resolve, reject) => {
      this.#waiting = { resolve: () => resolve(), reject };
    }).catch((error: Error) => {
      throw new Error(`The reducers could not be loaded in a thread: ${error.message}`);
    });
  }

  async #ask(message: ToFoldThread): Promise<FromFoldThread> {
    const worker = this.#worker;
    if (worker === null) throw new Error('The thread of the reducers was closed.');
    const { pageMs } = this.#limits;
    let deadline: NodeJS.Timeout | undefined;
    try {
      return await new Promise<FromFoldThread>((resolve, reject) => {
        this.#waiting = { resolve, reject };
        deadline = setTimeout(() => {
          this.#worker = null;
          this.#waiting = null;
          void worker.terminate();
          reject(new FoldFault('time', `Its reducer took more than ${pageMs} ms for a page.`));
        }, pageMs);
        worker.postMessage(message);
      });
    } finally {
      clearTimeout(deadline);
    }
  }
}
