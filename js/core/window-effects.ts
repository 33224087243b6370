/**
 * The effects and events of a window's core (docs/window.md, sections 2 and 6), besides those that it has in common with a
 * sync worker's. Effects are built in src/client/effect.cc; events are read in src/client/event.h.
 */
import type { CommonEffect, CommonEvent, HostError, PostEffect } from './effects.ts';
import type {
  HeldScope,
  ScopeFilter,
  WantedStream,
  WindowCoreMessage,
  WindowInput,
} from './messages.ts';

export interface ImagePart {
  readonly file: string;
  readonly bytes: number;
}
export interface ImagePointer {
  readonly generation: string;
  /** Null: one of its own, under the name of its generation, as former releases wrote them. */
  readonly mount?: string | null;
  readonly parts: readonly ImagePart[];
}

/** The state of a window's core. */
export interface WindowState {
  readonly phase: 'opening' | 'ready' | 'loading' | 'reloading';
  /** The last record that it has. */
  readonly n: number;
  readonly cursors: Readonly<Record<string, string>>;
  readonly pending: number;
  readonly unsaved: number;
  readonly oldestPendingAt: number | null;
  readonly conflicts: number;
  readonly clockOffset: number;
  readonly lastSyncedAt: number | null;
  readonly scopes: readonly HeldScope[];
  /** Realms that the server has lost; left out if there are none. */
  readonly lost?: readonly string[];
  /** Invitations of the user that wait; null if there are none. */
  readonly invitations: readonly unknown[] | null;
}

interface StateEffect extends WindowState {
  readonly type: 'state';
}
interface LoadImageEffect extends ImagePointer {
  readonly type: 'loadImage';
}
/** An event that cannot be handled, or a part of it. */
export interface ProblemEffect {
  readonly type: 'problem';
  /** A number of `Code` in src/base/status.h. */
  readonly code: number;
  readonly detail: string;
  /** The scope that was refused, if it was one. */
  readonly scope?: ScopeFilter;
}
/** A mutation has reached a stage, or will never reach it. */
export interface SettleEffect {
  readonly type: 'settle';
  readonly id: string;
  readonly stage: 'durable' | 'pushed' | 'confirmed';
  readonly error: {
    readonly code: string;
    readonly detail: string;
    readonly retryable: boolean;
  } | null;
}
/** The whole inbox. */
export interface ConflictsEffect {
  readonly type: 'conflicts';
  readonly items: readonly { readonly key: number; readonly value: unknown }[];
}
/** The answer to the event `resolve`. */
export interface ResolvedEffect {
  readonly type: 'resolved';
  readonly id: number;
  readonly error: { readonly code: string; readonly detail: string } | null;
}
/** A confirmed action of a stream, as the core hands it over, and as a file has it. */
export interface ConfirmedAction {
  readonly id: string;
  readonly name: string;
  readonly arg: unknown;
  /** ms: when it was logged, and when it was made. */
  readonly at: number;
  readonly madeAt: number;
  readonly author: string;
  /** In its stream: revision and index. */
  readonly place: readonly [revision: number, position: number];
}
/** One that is not. */
export interface PendingAction {
  readonly id: string;
  readonly name: string;
  readonly arg: unknown;
  readonly at: number;
}
/** What has changed of an open stream (src/client/streams.h, Drain). */
export interface StreamNews {
  readonly stream: number;
  /** Nothing of what was handed over before is valid. */
  readonly again: boolean;
  /** With which a reduced stream begins. */
  readonly state: {
    readonly reducer: number;
    readonly revision: number;
    readonly state: unknown;
  } | null;
  readonly actions: readonly ConfirmedAction[];
  /** `all` null: those that are no longer pending, and those that are now, after all others. */
  readonly pending: {
    readonly all: readonly PendingAction[] | null;
    readonly removed: readonly string[];
    readonly added: readonly PendingAction[];
  };
  /** Of a reduced stream: all actions up to this revision were handed over. */
  readonly upto: number;
  readonly loaded: boolean;
  /** Nothing is missing that a server has. */
  readonly whole: boolean;
  /** The server no longer has the actions that this version of the reducer needs, and no state that it can use. */
  readonly gone: boolean;
}
/** The answer to the event `streamPage`. */
export interface StreamPageEffect {
  readonly type: 'streamPage';
  readonly id: number;
  readonly actions: readonly ConfirmedAction[];
  /** What is at or below this revision is not on the device. */
  readonly floor: number;
  readonly error: string | null;
}
/** A notice for the application. */
export type NotifyEffect = { readonly type: 'notify' } & (
  | { readonly kind: 'storageFailed'; readonly error: HostError }
  | { readonly kind: 'storageRecovered' }
  | { readonly kind: 'dataLost'; readonly detail: string }
  | { readonly kind: 'updateNeeded'; readonly reason: 'newer-tab' }
);

export type WindowOnlyEffect =
  | PostEffect<WindowCoreMessage>
  | StateEffect
  | LoadImageEffect
  | ProblemEffect
  | SettleEffect
  | ConflictsEffect
  | ResolvedEffect
  | StreamPageEffect
  | NotifyEffect
  | { readonly type: 'ready' }
  | { readonly type: 'openFailed'; readonly error: HostError };

/** After the event `read`, a Decision comes before the effects (EffectRunner). */
export type WindowEffect = CommonEffect | WindowOnlyEffect;

/** The answer to the effect `loadImage`. */
export type ImageLoadedEvent = { readonly type: 'imageLoaded'; readonly generation: string } & (
  | { readonly ok: true }
  | { readonly ok: false; readonly error: { readonly code: string; readonly detail: string } }
);
export interface ResolveEvent {
  readonly type: 'resolve';
  readonly id: number;
  readonly how: 'discard' | 'retry';
}

export type StreamEvent =
  | { readonly type: 'streams'; readonly add: readonly WantedStream[] }
  | {
      readonly type: 'streamOpen';
      readonly stream: number;
      readonly realm: string;
      readonly name: string;
      readonly keep?: number;
      readonly reducer?: number;
      readonly migrates?: boolean;
    }
  | { readonly type: 'streamClose'; readonly stream: number }
  | {
      readonly type: 'streamPage';
      readonly id: number;
      readonly stream: number;
      readonly revision: number;
      readonly position: number;
      readonly limit: number;
    }
  | {
      readonly type: 'streamState';
      readonly stream: number;
      readonly revision: number;
      readonly state?: string;
    };

export type WindowOnlyEvent =
  | ImageLoadedEvent
  | StreamEvent
  | ResolveEvent
  | { readonly type: 'post'; readonly message: WindowInput }
  | { readonly type: 'open' | 'state' | 'still' | 'leave' | 'resume' }
  | { readonly type: 'freeze'; readonly ends?: boolean }
  | { readonly type: 'timer'; readonly name: 'reread' }
  | {
      readonly type: 'scopes';
      readonly add: readonly ScopeFilter[];
      readonly drop: readonly ScopeFilter[];
    };

export type WindowEvent = CommonEvent | WindowOnlyEvent;
