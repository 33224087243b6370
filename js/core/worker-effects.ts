/**
 * The effects and events of a sync worker's core (docs/sync-worker.md, sections 2 and 3), besides those that it has in common
 * with a window's. Effects are built in src/sync/turn.cc; events are read in src/sync/event.h.
 */
import type { CommonEffect, CommonEvent, HostError, PostEffect } from './effects.ts';
import type {
  LeaseName,
  TokenNeed,
  WakeServiceMessage,
  WorkerCoreMessage,
  WorkerInput,
  WorkerStatus,
} from './messages.ts';
import type { ImagePart, ImagePointer } from './window-effects.ts';

export interface FetchEffect {
  readonly type: 'fetch';
  readonly id: number;
  readonly method: string;
  readonly path: string;
  readonly body: Uint8Array;
  readonly token: string | null;
  readonly timeoutMs: number;
  /** The most bytes of the answer, inflated, if not those of any other. */
  readonly maxBytes?: number;
}

export type LockAction = 'request' | 'steal' | 'release';
export type LockState = 'granted' | 'refused' | 'lost';

export type SocketEffect = { readonly type: 'socket' } & (
  | { readonly action: 'open' | 'close' }
  | { readonly action: 'send'; readonly text: string }
);

/** A realm's image on the server. */
export interface ImageFetch {
  readonly url: string;
  readonly bytes: number;
  readonly checksum: string;
  readonly realm: string;
  readonly token: string | null;
  readonly timeoutMs: number;
}
/** `ImageJob` of src/sync/image_job.h. */
export interface WriteJob {
  readonly kind: 'fill' | 'compact';
  readonly generation: string;
  readonly mount: string;
  readonly number: number;
  /** Fold `from` and the records up to `upto` into the new image. */
  readonly compacts: boolean;
  readonly from: (ImagePointer & { readonly n: number }) | null;
  readonly upto: number;
  readonly fetch: ImageFetch | null;
  readonly dropRealms: readonly string[];
  readonly cursors: unknown;
  readonly schema: unknown;
}
/** `EmptyingJob` there. */
export interface EmptyingJob {
  readonly kind: 'empty';
  readonly number: number;
  readonly mounts: readonly string[];
  readonly generations: readonly string[] | null;
  readonly keep: readonly string[];
}
export type ImageJob = WriteJob | EmptyingJob;

export type WorkerOnlyEffect =
  | PostEffect<WorkerCoreMessage>
  | WakeServiceMessage
  | FetchEffect
  | SocketEffect
  | { readonly type: 'abortFetch' | 'abortImage'; readonly id: number }
  | { readonly type: 'lock'; readonly name: LeaseName; readonly action: LockAction }
  | { readonly type: 'needToken'; readonly why: TokenNeed }
  | { readonly type: 'image'; readonly id: number; readonly job: ImageJob }
  | { readonly type: 'status'; readonly status: WorkerStatus };

/** After the event `read`, a Decision comes before the effects (EffectRunner). */
export type WorkerEffect = CommonEffect | WorkerOnlyEffect;

/** The answer to the effect `fetch`. */
export type ResponseEvent = { readonly type: 'response'; readonly id: number } & (
  | { readonly status: number; readonly retryAfter?: number; readonly body: Uint8Array }
  | { readonly error: HostError }
);

export type SocketEvent = { readonly type: 'socket' } & (
  | { readonly state: 'open' }
  | { readonly state: 'message'; readonly text: string }
  | { readonly state: 'closed'; readonly code: number }
);

/** A part of an image that was written. */
export interface WrittenPart extends ImagePart {
  readonly checksum: string;
  /** The schema had no place for something that was read (src/log/sync_record.h, `lacks`). */
  readonly leftOut?: boolean;
}
export interface ImageJobError extends HostError {
  /** The status of the server's answer, if that is the reason. */
  readonly status?: number;
}
/** An image job goes on, has succeeded, or has failed. */
export type ImageEvent = { readonly type: 'image'; readonly id: number } & (
  | { readonly progress: { readonly done: number; readonly total: number } }
  | { readonly parts: readonly WrittenPart[] }
  | { readonly error: ImageJobError }
);

export type WorkerOnlyEvent =
  | ResponseEvent
  | SocketEvent
  | ImageEvent
  | { readonly type: 'start' }
  | { readonly type: 'post'; readonly message: WorkerInput | { readonly type: 'stop' } }
  | { readonly type: 'lock'; readonly name: LeaseName; readonly state: LockState }
  | { readonly type: 'token'; readonly token: string | null };

export type WorkerEvent = CommonEvent | WorkerOnlyEvent;
