// The main thread's side of an authority thread. Calls are sent in order; each is answered by one message. A step
// that takes too long is ended together with its thread, and a new thread starts. The calls in progress fail, and may
// be sent again.

import { Worker } from 'node:worker_threads';
import { limits } from '../base/limits.ts';
import { threadFile } from '../base/threads.ts';
import { SchemaError } from '../sql/description.ts';

export interface AuthorityThreadOptions {
  readonly schemaText: string;
}

export type Make =
  | { readonly kind: 'admission' }
  | { readonly kind: 'pull' }
  | {
      readonly kind: 'image';
      readonly realm: string;
      readonly revision: number;
      readonly at: number;
    };

export interface HandleCall {
  readonly handle: number;
  /** How the handle is made, if this is its first call. */
  readonly make: Make;
  readonly what: 'step' | 'rows' | 'finish';
  readonly text: string;
}

/** A question to the rules that needs no handle. */
export type DirectCall = 'checkScopes' | 'forgetLog' | 'survey' | 'compare';

export type ToAuthorityThread =
  | HandleCall
  | { readonly ask: DirectCall; readonly text: string }
  | { readonly end: number };

export interface CallError {
  readonly message: string;
  readonly stack?: string | undefined;
  /** The trap happened in this call. */
  readonly trapped: boolean;
  /** The trap happened earlier, in a call of another request. */
  readonly elsewhere: boolean;
}

export interface StepAnswer {
  readonly text: string;
  /** The duration of the call. */
  readonly ms: number;
  /** The bytes of a finished image. */
  readonly bytes?: Uint8Array;
}

export type FromAuthorityThread =
  | { readonly ready: true }
  | { readonly refused: string }
  | { readonly error: CallError }
  | StepAnswer;

/** The thread has ended during a call, which may be sent again. */
export class AuthorityGone extends Error {}

/** The thread was ended because this call took too long. Another try would take as long again. */
export class AuthorityTimeout extends AuthorityGone {}

/** The rules have trapped in this call (a broken invariant, no memory left). */
export class AuthorityTrapped extends Error {}

/** The rules have trapped in a call of another request. A fresh instance takes over. */
export class TrappedElsewhere extends Error {}

/** Whether another request caused the failure, so that the same call may succeed now. */
export function isOfAnother(error: unknown): boolean {
  return (
    error instanceof TrappedElsewhere ||
    (error instanceof AuthorityGone && !(error instanceof AuthorityTimeout))
  );
}

interface PendingCall {
  readonly resolve: (answer: StepAnswer) => void;
  readonly reject: (error: unknown) => void;
}

function rebuilt({ message, trapped, elsewhere }: CallError): Error {
  if (trapped) return new AuthorityTrapped(message);
  return elsewhere ? new TrappedElsewhere(message) : new Error(message);
}

/** One thread. */
class Thread {
  readonly #worker: Worker;
  readonly #pending: PendingCall[] = [];
  readonly #stepMs: number;
  #deadline: NodeJS.Timeout | null = null;
  gone: AuthorityGone | null = null;

  constructor(options: AuthorityThreadOptions, { stepMs, execArgv }: AuthorityLinkOptions) {
    this.#stepMs = stepMs ?? limits.authorityStepMs;
    this.#worker = new Worker(threadFile('authority-thread'), { workerData: options, execArgv });
  }

  started(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#worker.on('message', (message: FromAuthorityThread) => {
        if ('ready' in message) resolve();
        else if ('refused' in message) reject(new SchemaError(message.refused));
        else this.#answered(message);
      });
      const ended = (error?: Error) => {
        this.terminate(new AuthorityGone(`The authority's thread ended: ${error?.message ?? ''}`));
        reject(this.gone);
      };
      this.#worker.once('error', ended);
      this.#worker.once('exit', () => ended());
    });
  }

  call(message: Exclude<ToAuthorityThread, { end: number }>): Promise<StepAnswer> {
    return new Promise((resolve, reject) => {
      if (this.gone !== null) {
        reject(this.gone);
        return;
      }
      this.#pending.push({ resolve, reject });
      this.#worker.postMessage(message);
      if (this.#pending.length === 1) this.#await();
    });
  }

  end(handle: number): void {
    if (this.gone === null) this.#worker.postMessage({ end: handle } satisfies ToAuthorityThread);
  }

  terminate(reason: AuthorityGone): void {
    if (this.gone !== null) return;
    this.gone = reason;
    if (this.#deadline !== null) clearTimeout(this.#deadline);
    for (const { reject } of this.#pending.splice(0)) reject(reason);
    void this.#worker.terminate();
  }

  #answered(message: StepAnswer | { readonly error: CallError }): void {
    const waiting = this.#pending.shift();
    this.#await();
    if (waiting === undefined) return;
    if (!('error' in message)) {
      waiting.resolve(message);
      return;
    }
    const error = rebuilt(message.error);
    const { stack } = message.error;
    if (stack !== undefined) error.stack = stack;
    waiting.reject(error);
  }

  /** The oldest waiting call is the one that takes so long. */
  #overdue(): void {
    const text = 'A step of the authority took too long.';
    this.#pending.shift()?.reject(new AuthorityTimeout(text));
    this.terminate(new AuthorityGone(text));
  }

  /** The time limit of the oldest waiting call starts now. */
  #await(): void {
    if (this.#deadline !== null) clearTimeout(this.#deadline);
    this.#deadline = null;
    if (this.#pending.length === 0) return;
    this.#deadline = setTimeout(() => this.#overdue(), this.#stepMs);
  }
}

export interface AuthorityLinkOptions {
  /** The time limit of a step. */
  readonly stepMs?: number | undefined;
  /** Node's own flags for the threads, for tests. */
  readonly execArgv?: string[] | undefined;
}

/** A handle. It belongs to the thread that was running when it was opened. */
export interface LinkHandle {
  call(what: HandleCall['what'], text: string): Promise<StepAnswer>;
  end(): void;
}

/** A thread that is restarted when it has ended. */
export class AuthorityLink {
  readonly #schema: AuthorityThreadOptions;
  readonly #options: AuthorityLinkOptions;
  #thread: Promise<Thread>;
  #handles = 0;
  #closed = false;

  private constructor(schema: AuthorityThreadOptions, options: AuthorityLinkOptions) {
    this.#schema = schema;
    this.#options = options;
    this.#thread = this.#start();
  }

  static async open(
    schema: AuthorityThreadOptions,
    options: AuthorityLinkOptions,
  ): Promise<AuthorityLink> {
    const link = new AuthorityLink(schema, options);
    await link.#thread;
    return link;
  }

  async ask(ask: DirectCall, text: string): Promise<StepAnswer> {
    return (await this.#sound()).call({ ask, text });
  }

  async handle(make: Make): Promise<LinkHandle> {
    const thread = await this.#sound();
    const handle = ++this.#handles;
    return {
      call: (what, text) => thread.call({ handle, make, what, text }),
      end: () => thread.end(handle),
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    const thread = await this.#thread.catch(() => null);
    thread?.terminate(new AuthorityGone('The authority is closed.'));
  }

  async #start(): Promise<Thread> {
    const thread = new Thread(this.#schema, this.#options);
    await thread.started();
    return thread;
  }

  async #sound(): Promise<Thread> {
    const current = this.#thread;
    const thread = await current.catch(() => null);
    if (thread !== null && thread.gone === null) return thread;
    if (this.#closed) throw new AuthorityGone('The authority is closed.');
    // If several callers see that it has ended, the first one starts a new thread.
    if (this.#thread === current) this.#thread = this.#start();
    return this.#thread;
  }
}
