/**
 * The effects and events of a window's core (docs/window.md, sections 2 and 6), besides those that it has in common with a
 * sync worker's. Their shapes are the core's own (core-types.ts).
 */
import type {
  ComparedEffect,
  CompareEvent,
  ConflictsEffect,
  DataLostEffect,
  FreezeEvent,
  ImageLoadedEvent,
  ImagePointer,
  JudgeEvent,
  KeepUndoEffect,
  KeepUndoEvent,
  LeaveEvent,
  LoadImageEffect,
  MendedEffect,
  OfferEffect,
  OfferedEvent,
  OpenEvent,
  OpenFailedEffect,
  ProblemEffect,
  ReadyEffect,
  ResolvedEffect,
  ResolveEvent,
  ResumeEvent,
  ScopesMessage,
  SettleEffect,
  StateEvent,
  StillEvent,
  StorageFailedEffect,
  StorageRecoveredEffect,
  StreamCloseEvent,
  StreamOpenEvent,
  StreamPageEffect,
  StreamPageEvent,
  StreamStateEvent,
  StreamsMessage,
  TakeUndoEvent,
  UndoEffect,
  UpdateNeededEffect,
  ValidateEffect,
  WindowState,
} from './core-types.ts';
import type { CommonEffect, CommonEvent, PostOf } from './effects.ts';
import type { WindowCoreMessage, WindowInput } from './messages.ts';

/** Where an image is, as a record or an effect says. Former releases wrote no mount. */
export type ImagePlace = Pick<ImagePointer, 'generation' | 'parts'> & {
  readonly mount?: string | null;
};

export type WindowOnlyEffect =
  | PostOf<WindowCoreMessage>
  | WindowState
  | LoadImageEffect
  | ProblemEffect
  | SettleEffect
  | ConflictsEffect
  | ResolvedEffect
  | ValidateEffect
  | UndoEffect
  | KeepUndoEffect
  | StreamPageEffect
  | ComparedEffect
  | OfferEffect
  | MendedEffect
  | StorageFailedEffect
  | StorageRecoveredEffect
  | DataLostEffect
  | UpdateNeededEffect
  | ReadyEffect
  | OpenFailedEffect;

/** After the event `read`, a Decision comes before the effects (EffectRunner). */
export type WindowEffect = CommonEffect | WindowOnlyEffect;

export type StreamEvent =
  | StreamsMessage
  | StreamOpenEvent
  | StreamCloseEvent
  | StreamPageEvent
  | StreamStateEvent;

export type WindowOnlyEvent =
  | ImageLoadedEvent
  | CompareEvent
  | OfferedEvent
  | StreamEvent
  | ResolveEvent
  | JudgeEvent
  | { readonly type: 'post'; readonly message: WindowInput }
  | OpenEvent
  | StateEvent
  | StillEvent
  | LeaveEvent
  | ResumeEvent
  | FreezeEvent
  | KeepUndoEvent
  | TakeUndoEvent
  | ScopesMessage;

export type WindowEvent = CommonEvent | WindowOnlyEvent;
