/**
 * The effects and events that both cores have in common (docs/internals.md, sections 4 and 5). Their shapes are the core's
 * own (core-types.ts), but for members whose type only JavaScript knows.
 */
import type {
  AbortReply,
  AddWrite,
  BroadcastEffect,
  CancelWindowTimerEffect,
  CancelWorkerTimerEffect,
  CountRead,
  DeleteRangeWrite,
  DeleteWrite,
  DoneEvent,
  FailedEvent,
  GetRead,
  KeepEffect,
  KeyRange,
  MoreReply,
  PostEffect,
  PutWrite,
  RangeRead,
  ReadEvent,
  SetWindowTimerEffect,
  SetWorkerTimerEffect,
  TransactEffect,
  WindowTimerEvent,
  WorkerTimerEvent,
  WriteReply,
} from './core-types.ts';
import type { ChannelMessage, Message } from './messages.ts';

export type Key = number | string;

/** A range of a host's own, where null is none. */
export type KeyBounds = {
  readonly [Bound in keyof KeyRange]?: KeyRange[Bound] | null | undefined;
};

/** Storage has more stores than the core knows. */
type AnyStore<T> = T extends unknown ? Omit<T, 'store'> & { readonly store: string } : never;

/** The results: the value or null; `[{key, value}…]` in the order of keys; a number. */
export type Read = AnyStore<GetRead | RangeRead | CountRead>;
export type Write = AnyStore<PutWrite | AddWrite | DeleteWrite | DeleteRangeWrite>;

/** What is to become of a transaction after its reads. */
export type Decision =
  | { readonly type: WriteReply['type']; readonly writes: readonly Write[] }
  | { readonly type: MoreReply['type']; readonly reads: readonly Read[] }
  | { readonly type: AbortReply['type'] };

/** The effects that EffectRunner carries out for either core. Only a window has `keep`. */
export type CommonEffect =
  | TransactEffect
  | KeepEffect
  | SetWindowTimerEffect
  | SetWorkerTimerEffect
  | CancelWindowTimerEffect
  | CancelWorkerTimerEffect
  | (BroadcastEffect & { readonly message: ChannelMessage });

export type PostOf<M> = PostEffect & { readonly message: M };

/** The events that EffectRunner makes for either core. A timer is what the effect named. */
export type CommonEvent =
  | ReadEvent
  | DoneEvent
  | FailedEvent
  | { readonly type: 'message'; readonly message: Message }
  | WindowTimerEvent
  | WorkerTimerEvent;

/** Every event has the wall clock and the monotonic one, in ms. */
export interface Times {
  readonly now: number;
  readonly mono: number;
}
