/**
 * The messages between a window and its sync worker, on the channel, and to a service worker (docs/sync-worker.md,
 * section 4), as far as JavaScript makes or reads them. Those of the cores are described in src/log/message.h and
 * src/sync/message.h.
 */

/** A message of unknown origin: any script of the origin, or another version of this package, may have sent it. */
export interface Message {
  readonly type: string;
}

/** A text that a core chose and that JavaScript hands on: the name of a timer, or the type of a message. */
export type CoreText = string & { readonly core: never };

/** A failure of synchronisation (src/sync/sync_error.h). */
export interface SyncFailure {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

export interface ScopeFilter {
  readonly table: string;
  readonly where: unknown;
}
/** One of the union that is in storage. */
export interface HeldScope extends ScopeFilter {
  readonly filled: unknown;
}

/** The names of `LeaseName` in src/sync/names.h. `service` is only a Web Lock. */
export type LeaseName = 'push' | 'listen' | 'image' | 'service';

/** Why the application is asked for a token. */
export type TokenNeed = 'start' | 'expired' | 'refused';

/** `Phase` of src/sync/names.h, in so far as a status has it. */
export type SyncPhase =
  | 'opening'
  | 'filling'
  | 'idle'
  | 'pulling'
  | 'pushing'
  | 'waiting'
  | 'offline'
  | 'paused'
  | 'blocked';

export type SyncRole = 'holder' | 'waiter' | 'hidden' | 'none';

/** The lease of the worker that pushes, as last seen. */
export interface StatusLease {
  readonly owner: string | null;
  readonly epoch: number;
  readonly beat: number;
}

/** `StatusRecord` of src/sync/status.h: the status of the sync worker (docs/sync-worker.md, section 7). */
export interface WorkerStatus {
  readonly role: SyncRole;
  readonly lease: StatusLease | null;
  readonly phase: SyncPhase;
  /** The number of the last record. */
  readonly n: number;
  readonly pending: number;
  readonly conflicts: number;
  readonly lastSyncedAt: number | null;
  readonly nextTryAt: number | null;
  readonly progress: { readonly done: number; readonly total: number } | null;
  readonly error: SyncFailure | null;
  readonly needsAuth: boolean;
  readonly scopes: readonly HeldScope[] | null;
  readonly mode: 'lease' | 'service-worker';
  readonly modeReason: string;
  /** The id of the service worker that reports. */
  readonly instance?: string;
  readonly online: boolean;
  /** The server can be reached now; when it last answered or sent a message. */
  readonly connected: boolean;
  readonly lastHeardAt: number | null;
  readonly clockOffsetMs: number;
}

interface ScopesMessage {
  readonly type: 'scopes';
  readonly add: readonly ScopeFilter[];
  readonly drop: readonly ScopeFilter[];
}
/** A stream that a window wants, or all streams with a prefix: `WantedStream` of src/log/message.h. */
export interface WantedStream {
  readonly stream: string;
  readonly last?: number;
  /** All of them once more. */
  readonly again?: boolean;
  /** The version of the reducer that folds them. */
  readonly reducer?: number;
  /** It takes over states of earlier versions. */
  readonly migrates?: boolean;
}
interface StreamsMessage {
  readonly type: 'streams';
  readonly add: readonly WantedStream[];
}
interface TokenMessage {
  readonly type: 'token';
  readonly token: string | null;
}
interface NeedTokenMessage {
  readonly type: 'needToken';
  readonly why: TokenNeed;
}

/** What a window's core posts to its worker. */
export type WindowCoreMessage = { readonly type: 'mutated' } | ScopesMessage | StreamsMessage;

/** What the host of a window posts, and the worker's core takes. */
type WindowHostMessage =
  | TokenMessage
  | { readonly type: 'visible'; readonly visible: boolean }
  | { readonly type: 'online'; readonly online: boolean }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  | { readonly type: 'sync'; readonly id: number }
  | { readonly type: 'history'; readonly id: number; readonly path: string }
  | { readonly type: 'service'; readonly active: boolean; readonly reason: string };

/** What a helper, or a window for it, posts to the service worker. `sync` is the wake of a `sync` event. */
export type ServiceMessage = (
  | TokenMessage
  | {
      readonly type: 'wake';
      readonly reason: 'visible' | 'mutation' | 'due' | 'poke' | 'refill' | 'sync';
      readonly realm?: string;
      readonly revision?: number;
    }
  | { readonly type: 'sync'; readonly id: { readonly tab: string; readonly id: unknown } }
) & { readonly online?: boolean; readonly listening?: boolean };

/** What a worker's core takes of its windows. */
export type WorkerInput = WindowCoreMessage | WindowHostMessage | ServiceMessage;

/** What a window posts to its worker. `config`: a WorkerConfig. */
export type WindowMessage<Config> =
  | WindowCoreMessage
  | WindowHostMessage
  | { readonly type: 'init'; readonly config: Config }
  | { readonly type: 'hold'; readonly hold: boolean }
  | { readonly type: 'stop' };

export interface LeaseCopyMessage {
  readonly type: 'lease';
  readonly name: LeaseName;
  /** Null after its release. */
  readonly owner: string | null;
  readonly epoch: number;
}
/** The answer to `sync`. */
export interface SyncedMessage {
  readonly type: 'synced';
  readonly id: number;
  readonly error: SyncFailure | null;
}
/** Scopes that could not be stored, or that exceed the limits of all windows together. */
export interface ScopesFailedMessage {
  readonly type: 'scopesFailed';
  readonly error: SyncFailure;
  /** To be dropped still. */
  readonly drop: readonly ScopeFilter[];
  readonly leftOut?: readonly ScopeFilter[];
}
/** All windows together want more streams than a pull may name. */
export interface StreamsFailedMessage {
  readonly type: 'streamsFailed';
  readonly leftOut: readonly WantedStream[];
}
/** The answer to `history`. */
export interface HistoryAnswerMessage {
  readonly type: 'historyAnswer';
  readonly id: number;
  /** The server's answer (docs/protocol.md). */
  readonly page: unknown;
  readonly error: SyncFailure | null;
}
type ReloadMessage =
  | { readonly type: 'left' }
  | { readonly type: 'unreadable'; readonly damaged?: boolean };

/** What a worker's core posts to its window. */
export type WorkerCoreMessage =
  | LeaseCopyMessage
  | SyncedMessage
  | ScopesFailedMessage
  | StreamsFailedMessage
  | HistoryAnswerMessage
  | { readonly type: 'imageFailed'; readonly error: SyncFailure }
  | ReloadMessage;

interface StatusMessage {
  readonly type: 'status';
  readonly status: WorkerStatus;
}
export interface WakeServiceMessage {
  readonly type: 'wakeService';
  readonly message: ServiceMessage;
}

/** What a worker posts to its window. */
export type WorkerMessage =
  | WorkerCoreMessage
  | StatusMessage
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
export type WindowInput = StatusMessage | ReloadMessage;

/** On the channel, of the worker that pushes. */
export interface SharedStatusMessage {
  readonly type: 'status';
  readonly shared: WorkerStatus;
}

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

/** What is posted on the channel. The last one stands for all others that the cores send to each other. */
export type ChannelMessage =
  | PausedMessage
  | NeedTokenMessage
  | AskPausedMessage
  | { readonly type: 'logout' | 'conflicts' }
  | { readonly type: 'serviceFailed'; readonly reason: string }
  | { readonly type: 'lease'; readonly name: LeaseName; readonly lease: unknown; outcome: 'left' }
  | { readonly type: 'record'; readonly record: { readonly kind: string } }
  | {
      readonly type: 'added';
      readonly tab: string;
      readonly items: readonly { id: string; key: number | undefined; record: unknown }[];
    }
  | { readonly type: CoreText };
