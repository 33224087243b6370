/**
 * The messages between a window and its sync worker, on the channel, and to a service worker (docs/sync-worker.md,
 * section 4), as far as JavaScript makes or reads them. The shapes of those that a core makes or reads are the core's own
 * (core-types.ts).
 */
import type {
  AddedMessage,
  ConflictsMessage,
  HistoryAnswerMessage,
  HistoryMessage,
  HostError,
  ImageFailedMessage,
  LeaseCopyMessage,
  LeaseMessage,
  LeftMessage,
  MutatedMessage,
  NeedTokenMessage,
  OnlineMessage,
  PauseMessage,
  RecordMessage,
  ResumeMessage,
  ScopesFailedMessage,
  ScopesMessage,
  ServiceFailedMessage,
  ServiceMessage,
  ShowStatusEffect,
  StatusMessage,
  StreamsFailedMessage,
  StreamsMessage,
  SyncError,
  SyncedMessage,
  SyncMessage,
  TokenMessage,
  UnreadableMessage,
  VisibleMessage,
  WakeMessage,
  WakeServiceEffect,
} from './core-types.ts';

/** A message of unknown origin: any script of the origin, or another version of this package, may have sent it. */
export interface Message {
  readonly type: string;
}

/** What a window's core posts to its worker. */
export type WindowCoreMessage = MutatedMessage | ScopesMessage | StreamsMessage;

/** What the host of a window posts, and the worker's core takes. */
type WindowHostMessage =
  | TokenMessage
  | VisibleMessage
  | OnlineMessage
  | PauseMessage
  | ResumeMessage
  | (SyncMessage & { readonly id: number })
  | HistoryMessage
  | ServiceMessage;

/** What a helper, or a window for it, posts to the service worker. */
export type ToServiceMessage = (
  | TokenMessage
  | WakeMessage
  /** The wake of a `sync` event: the core takes a reason that it does not know for `visible`. */
  | { readonly type: 'wake'; readonly reason: 'sync' }
  | (SyncMessage & { readonly id: { readonly tab: string; readonly id: unknown } })
) & { readonly online?: boolean; readonly listening?: boolean };

/** What a worker's core takes of its windows. */
export type WorkerInput = WindowCoreMessage | WindowHostMessage | ToServiceMessage;

/** What a window posts to its worker. `config`: a WorkerStart. */
export type WindowMessage<Config> =
  | WindowCoreMessage
  | WindowHostMessage
  | { readonly type: 'init'; readonly config: Config }
  | { readonly type: 'hold'; readonly hold: boolean }
  | { readonly type: 'stop' };

/** The member of a message that is only sent because of an error. */
interface Failed {
  readonly error: SyncError;
}
export type ScopesFailed = ScopesFailedMessage & Failed;

type ReloadMessage = LeftMessage | UnreadableMessage;

/** A window numbers its requests. */
export type SyncedByNumber = SyncedMessage & { readonly id: number };

/** What a worker's core posts to its window. */
export type WorkerCoreMessage =
  | LeaseCopyMessage
  | SyncedByNumber
  | ScopesFailed
  | StreamsFailedMessage
  | HistoryAnswerMessage
  | (ImageFailedMessage & Failed)
  | ReloadMessage;

export type WakeServiceMessage = WakeServiceEffect & { readonly message: ToServiceMessage };

/** What a worker posts to its window. */
export type WorkerMessage =
  | WorkerCoreMessage
  | ShowStatusEffect
  | WakeServiceMessage
  | NeedTokenMessage
  | { readonly type: 'stopped' }
  | {
      readonly type: 'failed';
      readonly error: {
        readonly code: string;
        readonly message: string;
        readonly retryable?: boolean;
      };
      /** The worker runs no more. */
      readonly ended: boolean;
    };

/** What the window's core takes of its worker. */
export type WindowInput = ShowStatusEffect | ReloadMessage;

/** Of a service worker that the browser has woken. */
export interface AskPausedMessage {
  readonly type: 'askPaused';
  readonly id: string;
}

/** The answer of a window. */
export interface PausedMessage {
  readonly type: 'pausedOrNot';
  readonly paused: boolean;
  /** The question's id. */
  readonly to: string;
}

/** An inspector asks the workers to report their requests from now on, or no more. It asks again while it is open. */
export interface InspectMessage {
  readonly type: 'inspect';
  readonly on: boolean;
}

/** A worker's report to inspectors: a request when it begins, and again with `ms` when it has ended. */
export interface TraceMessage {
  readonly type: 'trace';
  /** The name of the worker's window, or of the service worker. */
  readonly from: string;
  /** When it began, ms. */
  readonly at: number;
  readonly id: number;
  readonly method: string;
  /** Behind the server's address. */
  readonly path: string;
  /** Bytes of the body before it is compressed. */
  readonly sent: number;
  readonly ms?: number;
  readonly status?: number | undefined;
  /** Bytes of the answer's body. */
  readonly received?: number | undefined;
  /** Why there is no answer. */
  readonly error?: HostError | undefined;
}

/** What JavaScript posts or reads on the channel. The cores send each other more. */
export type ChannelMessage =
  | PausedMessage
  | AskPausedMessage
  | NeedTokenMessage
  | ServiceFailedMessage
  | ConflictsMessage
  | LeaseMessage
  | RecordMessage
  | AddedMessage
  | StatusMessage
  | InspectMessage
  | TraceMessage
  | WorkerCoreMessage
  | { readonly type: 'logout' };
