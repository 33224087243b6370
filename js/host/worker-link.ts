/**
 * Workers: starting the sync worker, and messages with it. Guarantee: messages arrive in order, as structured clones,
 * never before `post` has returned; after `terminate` the worker does nothing more and nothing is delivered; `onFailed`
 * tells, at most once, that it could not be loaded or that its program ended with an error.
 */
export interface WorkerLink {
  post(message: unknown): void;
  terminate(): void;
}

export interface WorkerHandlers {
  onMessage(message: unknown): void;
  onFailed(error: Error): void;
}

export interface WorkerHost {
  start(url: URL | null, handlers: WorkerHandlers): WorkerLink;
}
