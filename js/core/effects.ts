/**
 * The effects and events that both cores have in common (docs/internals.md, sections 4 and 5). Effects are built in
 * src/log/effect.cc and src/log/transaction_builder.cc; events are read in src/log/event.h.
 */
import type { ChannelMessage, CoreText, Message } from './messages.ts';

export type Key = number | string;
export interface KeyRange {
  /** Exclusive lower bound. */
  readonly above?: Key | null | undefined;
  /** Inclusive lower bound. */
  readonly from?: Key | null | undefined;
  /** Inclusive upper bound. */
  readonly to?: Key | null | undefined;
  readonly limit?: number | null | undefined;
  /** The last `limit` of them, in descending order. */
  readonly last?: boolean | undefined;
}
/** The results: the value or null; `[{key, value}…]` in the order of keys; a number. */
export type Read =
  | { readonly store: string; readonly get: Key }
  | { readonly store: string; readonly range: KeyRange }
  | { readonly store: string; readonly count: true };

export type Write =
  | { readonly store: string; readonly put: unknown; readonly key: Key }
  | { readonly store: string; readonly add: unknown }
  | { readonly store: string; readonly delete: Key }
  | { readonly store: string; readonly deleteRange: KeyRange };

/** What is to become of a transaction after its reads. */
export type Decision =
  | { readonly type: 'write'; readonly writes: readonly Write[] }
  | { readonly type: 'more'; readonly reads: readonly Read[] }
  | { readonly type: 'abort' };

/** A failure, as the host names it. */
export interface HostError {
  readonly name: string;
  readonly message: string;
}

export interface TransactEffect {
  readonly type: 'transact';
  readonly id: number;
  readonly stores: readonly string[];
  readonly mode: 'readonly' | 'readwrite';
  readonly durability: 'strict' | 'relaxed';
  readonly reads: readonly Read[];
}

/** The effects that EffectRunner carries out for either core. Only a window has `keep`. */
export type CommonEffect =
  | TransactEffect
  | { readonly type: 'keep'; readonly records: readonly unknown[] }
  | { readonly type: 'timer'; readonly name: CoreText; readonly delayMs: number }
  | { readonly type: 'cancel'; readonly name: CoreText }
  | { readonly type: 'broadcast'; readonly message: ChannelMessage };

export interface PostEffect<M> {
  readonly type: 'post';
  readonly message: M;
}

/** The events that EffectRunner makes for either core. */
export type CommonEvent =
  | { readonly type: 'read'; readonly id: number; readonly results: readonly unknown[] }
  | { readonly type: 'done'; readonly id: number; readonly keys: readonly number[] }
  | { readonly type: 'failed'; readonly id: number; readonly error: HostError }
  | { readonly type: 'message'; readonly message: Message }
  | { readonly type: 'timer'; readonly name: CoreText };

/** Every event has the wall clock and the monotonic one, in ms. */
export interface Times {
  readonly now: number;
  readonly mono: number;
}
