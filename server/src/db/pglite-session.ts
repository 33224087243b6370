// The main thread's side of PGlite's thread: a session whose statements are answered by messages. A thread that does
// not answer in time can only be ended, in the middle of its statement. The next thread recovers from the log, as
// after a kill.

import { Worker } from 'node:worker_threads';
import { threadFile } from '../base/threads.ts';
import { ConnectionError, DatabaseTimeout, type Param } from './database.ts';
import type { Session } from './session.ts';

export interface PgliteThreadOptions {
  /** The folder of the files; null: in memory. */
  readonly folder: string | null;
  /** Counts fsyncs. */
  readonly fsyncs: SharedArrayBuffer;
}

export interface Statement {
  readonly sql: string;
  /** null: several statements, without parameters. */
  readonly params: readonly Param[] | null;
}

export type ToPgliteThread =
  | { readonly statements: readonly Statement[] }
  | { readonly close: true };

export interface StatementError {
  readonly message: string;
  readonly code?: string | undefined;
  readonly severity?: string | undefined;
  readonly detail?: string | undefined;
  readonly stack?: string | undefined;
}

type Outcome =
  | { readonly rows: readonly object[] }
  | { readonly tag: string }
  | { readonly error: StatementError };

export type FromPgliteThread =
  | { readonly ready: true }
  | { readonly failed: StatementError }
  | { readonly died: StatementError }
  | { readonly results: readonly Outcome[]; readonly ms: number };

interface PendingStatement {
  readonly resolve: (outcome: Exclude<Outcome, { error: unknown }>) => void;
  readonly reject: (error: unknown) => void;
}

interface Sent extends PendingStatement {
  readonly statement: Statement;
}

function rebuilt({ message, stack, ...rest }: StatementError): Error {
  const error = Object.assign(new Error(message), rest);
  if (stack !== undefined) error.stack = stack;
  return error;
}

/** After a failed write nothing more may be acknowledged. */
function die(reason: StatementError): never {
  console.error('The database could not write to disk; the server exits.', rebuilt(reason));
  process.exit(1);
}

export class PGliteSession implements Session {
  readonly #worker: Worker;
  readonly #answerWithinMs: number;
  /** Resolves when the thread has ended, and has closed its files. */
  readonly ended: Promise<void>;
  unlimited = false;
  workedMs = 0;
  #lost = false;
  #unsent: Sent[] = [];
  /** The batches that were sent, in order. */
  readonly #pending: (readonly PendingStatement[])[] = [];
  #deadline: NodeJS.Timeout | null = null;

  private constructor(options: PgliteThreadOptions, answerWithinMs: number) {
    this.#answerWithinMs = answerWithinMs;
    this.#worker = new Worker(threadFile('pglite-thread'), { workerData: options });
    this.ended = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
  }

  static async open(options: PgliteThreadOptions, answerWithinMs: number): Promise<PGliteSession> {
    const session = new PGliteSession(options, answerWithinMs);
    try {
      await session.#started();
    } catch (error) {
      // A thread that failed in the middle of its start keeps its memory, and never ends by itself.
      session.discard();
      await session.ended;
      throw error;
    }
    return session;
  }

  #started(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#worker.on('message', (message: FromPgliteThread) => {
        if ('results' in message) {
          this.workedMs += message.ms;
          this.#answered(message.results);
        } else if ('died' in message) die(message.died);
        else if ('failed' in message) {
          const reason = message.failed.message;
          reject(
            new ConnectionError(`The database does not start: ${reason}`, {
              cause: rebuilt(message.failed),
            }),
          );
        } else resolve();
      });
      const gone = (error?: Error) => {
        const reason = error?.message ?? 'it ended';
        reject(new ConnectionError(`The database's thread does not start: ${reason}`));
        this.discard(new ConnectionError(`The database's thread is gone: ${reason}`));
      };
      this.#worker.once('error', gone);
      this.#worker.once('exit', () => gone());
    });
  }

  get lost(): boolean {
    return this.#lost;
  }

  async query(sql: string, params: readonly Param[]): Promise<Iterable<object>> {
    const outcome = await this.#send({ sql, params });
    return 'rows' in outcome ? outcome.rows : [];
  }

  async simple(sql: string): Promise<string> {
    const outcome = await this.#send({ sql, params: null });
    return 'tag' in outcome ? outcome.tag : '';
  }

  /** This engine cannot cancel a statement: it ends by itself, or its thread is ended. */
  async cancel(): Promise<void> {}

  discard(error = new ConnectionError("The database's thread was ended.")): void {
    if (this.#lost) return;
    this.#lost = true;
    if (this.#deadline !== null) clearTimeout(this.#deadline);
    for (const { reject } of [...this.#pending.flat(), ...this.#unsent]) reject(error);
    this.#pending.length = 0;
    this.#unsent = [];
    void this.#worker.terminate();
  }

  async close(): Promise<void> {
    if (this.#lost) return;
    this.#lost = true;
    this.#flush();
    this.#worker.postMessage({ close: true } satisfies ToPgliteThread);
    await this.ended;
  }

  #send(statement: Statement): Promise<Exclude<Outcome, { error: unknown }>> {
    return new Promise((resolve, reject) => {
      if (this.#lost) {
        reject(new ConnectionError("The database's thread is gone."));
        return;
      }
      // Statements that are sent in one turn, without awaiting, form one batch.
      if (this.#unsent.length === 0) queueMicrotask(() => this.#flush());
      this.#unsent.push({ statement, resolve, reject });
    });
  }

  #flush(): void {
    const batch = this.#unsent;
    if (batch.length === 0) return;
    this.#unsent = [];
    this.#pending.push(batch);
    const statements = batch.map(({ statement }) => statement);
    this.#worker.postMessage({ statements } satisfies ToPgliteThread);
    if (this.#pending.length === 1) this.#await();
  }

  #answered(results: readonly Outcome[]): void {
    const batch = this.#pending.shift() ?? [];
    this.#await();
    for (const [i, { resolve, reject }] of batch.entries()) {
      const outcome = results[i];
      if (outcome === undefined) reject(new Error('A statement was not answered.'));
      else if ('error' in outcome) reject(rebuilt(outcome.error));
      else resolve(outcome);
    }
  }

  /** The time limit of the oldest batch starts now. */
  #await(): void {
    if (this.#deadline !== null) clearTimeout(this.#deadline);
    this.#deadline = null;
    if (this.#pending.length === 0 || this.unlimited) return;
    this.#deadline = setTimeout(
      () => this.discard(new DatabaseTimeout('A statement took too long, and was ended.')),
      this.#answerWithinMs,
    );
  }
}
