import type { WindowMessage } from '../core/messages.ts';

/**
 * Workers: starting the sync worker, and messages with it. Guarantee: messages arrive in order, as structured clones,
 * never before `post` has returned; after `terminate` the worker does nothing more and nothing is delivered; `onFailed`
 * reports, at most once, that it could not be loaded or that its program ended with an error.
 */
export interface WorkerLink {
  post(message: WindowMessage<WorkerStart>): void;
  terminate(): void;
}

export interface WorkerHandlers {
  onMessage(message: unknown): void;
  onFailed(error: Error): void;
}

export interface WorkerHost {
  start(url: URL | null, handlers: WorkerHandlers): WorkerLink;
}

/** What a worker receives at its start. Plain data: it crosses by structured clone. */
export interface WorkerStart {
  readonly schema: unknown;
  readonly tab: string;
  /** The name of the IndexedDB database and of the channel. */
  readonly database: string;
  readonly remote: { readonly url: string; readonly credentials: RequestCredentials };
  readonly auth: boolean;
  readonly visible: boolean;
  readonly online: boolean;
  /** The module that the window has compiled; a Worker that gets none compiles what lies at `wasmUrl`. */
  readonly module: WebAssembly.Module | null;
  readonly wasmUrl: string;
  /** Pauses and time limits other than the usual ones (docs/sync-worker.md, section 1). */
  readonly times: Readonly<Record<string, number>> | null;
  /** Whether a service worker pushes, and why or why not. */
  readonly mode: 'lease' | 'helper';
  readonly reason: string;
  /** A token may be kept in IndexedDB, for a service worker that is started without a window. */
  readonly keepToken: boolean;
  /** What such a worker has to know; null where there is to be none. */
  readonly service: unknown;
}
