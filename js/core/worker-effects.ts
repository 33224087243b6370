/**
 * The effects and events of a sync worker's core (docs/sync-worker.md, sections 2 and 3), besides those that it has in common
 * with a window's. Their shapes are the core's own (core-types.ts).
 */
import type {
  AbortFetchEffect,
  AbortImageEffect,
  AskTokenEffect,
  FetchEffect,
  ImageEvent,
  LockEffect,
  LockEvent,
  ResponseEvent,
  ShowStatusEffect,
  SocketEffect,
  SocketEvent,
  StartEvent,
  StartImageEffect,
  StopMessage,
  TokenMessage,
} from './core-types.ts';
import type { CommonEffect, CommonEvent, PostOf } from './effects.ts';
import type { WakeServiceMessage, WorkerCoreMessage, WorkerInput } from './messages.ts';

/** Only one that sends has a text. */
export type SocketCommand =
  | (SocketEffect & { readonly action: 'open' | 'close' })
  | (SocketEffect & { readonly action: 'send'; readonly text: string });

export type WorkerOnlyEffect =
  | PostOf<WorkerCoreMessage>
  | WakeServiceMessage
  | FetchEffect
  | SocketCommand
  | AbortFetchEffect
  | AbortImageEffect
  | LockEffect
  | AskTokenEffect
  | StartImageEffect
  | ShowStatusEffect;

/** After the event `read`, a Decision comes before the effects (EffectRunner). */
export type WorkerEffect = CommonEffect | WorkerOnlyEffect;

export type WorkerOnlyEvent =
  | ResponseEvent
  | SocketEvent
  | ImageEvent
  | StartEvent
  | { readonly type: 'post'; readonly message: WorkerInput | StopMessage }
  | LockEvent
  | TokenMessage;

export type WorkerEvent = CommonEvent | WorkerOnlyEvent;
