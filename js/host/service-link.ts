/**
 * ServiceLink: a window's end of a service worker. Guarantee: `onState` is called before `ServiceHost` resolves, and
 * again whenever whether there is a worker to wake has changed; `wake` starts one that the browser has stopped; no message
 * is lost but with the worker that it reached.
 */
import type { ToServiceMessage } from '../core/messages.ts';

export interface ServiceLink {
  /** Posts a message of docs/sync-worker.md, section 4. */
  wake(message: ToServiceMessage): void;
  /** This window has logged a mutation: wakes, also when no window is left, where the browser can do that. */
  changed(): void;
  /** Whether `sync` events are to leave the changes of this window alone; until it is closed. */
  pause(paused: boolean): void;
  close(): void;
}

export interface ServiceState {
  readonly active: boolean;
  /** Why, in words. */
  readonly reason: string;
}

export type ServiceHost = (
  url: URL,
  /** The database's name, and its schema's version. */
  database: string,
  version: number,
  onState: (state: ServiceState) => void,
) => Promise<ServiceLink>;

export const serviceProtocol = 1;

/** The message that a window posts. One of another protocol number is ignored, and the window pushes itself. */
export interface Envelope {
  readonly skerry: typeof serviceProtocol;
  readonly database: string;
  /** The version of the window's schema. */
  readonly version: number;
  readonly message: ToServiceMessage;
}

/** The tag of a `sync` event: with the database behind it that has something to push. */
export const syncTag = 'skerry-sync:';
