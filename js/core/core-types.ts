// Written from src/client, src/log and src/sync by test/core/sync/host_types_test.cc, which says how.
// What the members mean is said there.

export interface ClientOptions {
  readonly schema: unknown;
  readonly tab: string;
  readonly defaultRealm: string | null;
  readonly seed: Uint8Array;
  readonly remote: boolean;
  readonly user: string | null;
}

export type Mode = 'lease' | 'service' | 'helper';

export interface WorkerConfig {
  readonly schema: unknown;
  readonly tab: string;
  readonly user: string;
  readonly seed: Uint8Array;
  readonly visible: boolean;
  readonly online: boolean;
  readonly locks: boolean;
  readonly auth: boolean;
  readonly socket: boolean;
  readonly images: boolean;
  readonly mode: Mode;
  readonly reason: string;
  readonly service: unknown;
  readonly keepToken: boolean;
  readonly times: unknown;
  readonly limits: unknown;
}

export interface DoneEvent {
  readonly type: 'done';
  readonly id: number;
  readonly keys: readonly (number | string)[];
}

export interface HostError {
  readonly name: string;
  readonly message: string;
}

export interface FailedEvent {
  readonly type: 'failed';
  readonly id: number;
  readonly error: HostError;
}

export interface MessageEvent {
  readonly type: 'message';
  readonly message: unknown;
}

export interface PostEvent {
  readonly type: 'post';
  readonly message: unknown;
}

export interface OpenEvent {
  readonly type: 'open';
}

export interface StateEvent {
  readonly type: 'state';
}

export interface ImageLoadError {
  readonly code: string;
  readonly detail: string;
}

export interface ImageLoadedEvent {
  readonly type: 'imageLoaded';
  readonly generation: string;
  readonly ok: boolean;
  readonly error?: ImageLoadError;
}

export type WindowTimer = 'commit' | 'reread' | 'kept' | 'logged';

export interface WindowTimerEvent {
  readonly type: 'timer';
  readonly name: WindowTimer;
}

export interface FreezeEvent {
  readonly type: 'freeze';
  readonly ends?: boolean;
}

export interface StillEvent {
  readonly type: 'still';
}

export interface LeaveEvent {
  readonly type: 'leave';
}

export interface ResumeEvent {
  readonly type: 'resume';
}

export interface WantedScope {
  readonly table: string;
  readonly where: unknown;
}

export interface ScopesMessage {
  readonly type: 'scopes';
  readonly add: readonly WantedScope[];
  readonly drop: readonly WantedScope[];
}

export type Resolution = 'discard' | 'retry' | 'take';

export interface ResolveEvent {
  readonly type: 'resolve';
  readonly id: number;
  readonly how: Resolution;
  readonly theirs?: readonly string[];
}

export interface NamedRow {
  readonly table: string;
  readonly id: string;
  readonly realm?: string;
}

export interface JudgeEvent {
  readonly type: 'judge';
  readonly wrong: readonly NamedRow[];
}

export interface WantedStream {
  readonly stream: string;
  readonly last?: number;
  readonly again?: boolean;
  readonly reducer?: number;
  readonly migrates?: boolean;
}

export interface StreamsMessage {
  readonly type: 'streams';
  readonly add: readonly WantedStream[];
}

export interface StreamOpenEvent {
  readonly type: 'streamOpen';
  readonly stream: number;
  readonly realm?: string;
  readonly name: string;
  readonly keep?: number;
  readonly reducer?: number;
  readonly migrates?: boolean;
}

export interface StreamCloseEvent {
  readonly type: 'streamClose';
  readonly stream: number;
}

export interface StreamPageEvent {
  readonly type: 'streamPage';
  readonly id: number;
  readonly stream: number;
  readonly revision: number;
  readonly position: number;
  readonly limit: number;
}

export interface StreamStateEvent {
  readonly type: 'streamState';
  readonly stream: number;
  readonly revision: number;
  readonly state?: string;
}

export interface KeepUndoEvent {
  readonly type: 'keepUndo';
}

export interface TakeUndoEvent {
  readonly type: 'takeUndo';
  readonly text: string | null;
}

export type CompareStep = 'begin' | 'ifDue' | 'work' | 'answer';

export interface CompareEvent {
  readonly type: 'compare';
  readonly step: CompareStep;
  readonly rows?: number;
  readonly answer?: unknown;
}

export interface OfferedEvent {
  readonly type: 'offered';
  readonly answer?: unknown;
  readonly code?: string;
}

export type WindowEvents =
  | DoneEvent
  | FailedEvent
  | MessageEvent
  | PostEvent
  | OpenEvent
  | StateEvent
  | ImageLoadedEvent
  | WindowTimerEvent
  | FreezeEvent
  | StillEvent
  | LeaveEvent
  | ResumeEvent
  | ScopesMessage
  | ResolveEvent
  | JudgeEvent
  | StreamsMessage
  | StreamOpenEvent
  | StreamCloseEvent
  | StreamPageEvent
  | StreamStateEvent
  | KeepUndoEvent
  | TakeUndoEvent
  | CompareEvent
  | OfferedEvent;

export interface StartEvent {
  readonly type: 'start';
}

export type WorkerTimer =
  | 'start'
  | 'scopes'
  | 'look'
  | 'shared'
  | 'listen-retry'
  | 'token'
  | 'loop'
  | 'image-calm'
  | 'image-retry'
  | 'socket'
  | 'ping'
  | 'announced'
  | 'proof'
  | 'service-watch'
  | 'service-look'
  | 'heartbeat:push'
  | 'heartbeat:listen'
  | 'heartbeat:image'
  | 'look:push'
  | 'look:listen'
  | 'look:image'
  | 'validate';

export interface WorkerTimerEvent {
  readonly type: 'timer';
  readonly name: WorkerTimer;
}

export type LeaseName = 'push' | 'listen' | 'image' | 'service';

export type LockState = 'granted' | 'refused' | 'lost';

export interface LockEvent {
  readonly type: 'lock';
  readonly name: LeaseName;
  readonly state: LockState;
}

export interface ResponseEvent {
  readonly type: 'response';
  readonly id: number;
  readonly status?: number;
  readonly retryAfter?: number;
  readonly body?: unknown;
  readonly error?: HostError;
}

export interface TokenMessage {
  readonly type: 'token';
  readonly token: string | null;
}

export type SocketNews = 'open' | 'message' | 'closed';

export interface SocketEvent {
  readonly type: 'socket';
  readonly state: SocketNews;
  readonly text?: string;
  readonly code?: number;
}

export interface Progress {
  readonly done: number;
  readonly total: number;
}

export interface ImagePart {
  readonly file: string;
  readonly bytes: number;
  readonly checksum: string;
  readonly leftOut?: boolean;
}

export interface ImageJobError {
  readonly name: string;
  readonly message: string;
  readonly status?: number;
}

export interface ImageEvent {
  readonly type: 'image';
  readonly id: number;
  readonly progress?: Progress;
  readonly parts?: readonly ImagePart[];
  readonly error?: ImageJobError;
}

export type WorkerEvents =
  | StartEvent
  | DoneEvent
  | FailedEvent
  | PostEvent
  | MessageEvent
  | WorkerTimerEvent
  | LockEvent
  | ResponseEvent
  | TokenMessage
  | SocketEvent
  | ImageEvent;

export interface ReadEvent {
  readonly type: 'read';
  readonly id: number;
  readonly results: unknown;
}

export type AccessMode = 'readonly' | 'readwrite';

export type Durability = 'relaxed' | 'strict';

export type Store =
  | 'mutations'
  | 'outbox'
  | 'updates'
  | 'sync'
  | 'conflicts'
  | 'actions'
  | 'streams'
  | 'own';

export interface GetRead {
  readonly store: Store;
  readonly get: number | string;
}

export interface KeyRange {
  readonly above?: number | string;
  readonly from?: number | string;
  readonly to?: number | string;
  readonly limit?: number;
  readonly last?: boolean;
}

export interface RangeRead {
  readonly store: Store;
  readonly range: KeyRange;
}

export interface CountRead {
  readonly store: Store;
  readonly count: boolean;
}

export interface TransactEffect {
  readonly type: 'transact';
  readonly id: number;
  readonly stores: readonly string[];
  readonly mode: AccessMode;
  readonly durability: Durability;
  readonly reads: readonly (GetRead | RangeRead | CountRead)[];
}

export interface BroadcastEffect {
  readonly type: 'broadcast';
  readonly message: unknown;
}

export interface PostEffect {
  readonly type: 'post';
  readonly message: unknown;
}

export interface PutWrite {
  readonly store: Store;
  readonly put: unknown;
  readonly key: number | string;
}

export interface AddWrite {
  readonly store: Store;
  readonly add: unknown;
}

export interface DeleteWrite {
  readonly store: Store;
  readonly delete: number | string;
}

export interface DeleteRangeWrite {
  readonly store: Store;
  readonly deleteRange: KeyRange;
}

export interface WriteReply {
  readonly type: 'write';
  readonly id: number;
  readonly writes: readonly (PutWrite | AddWrite | DeleteWrite | DeleteRangeWrite)[];
}

export interface MoreReply {
  readonly type: 'more';
  readonly id: number;
  readonly reads: readonly (GetRead | RangeRead | CountRead)[];
}

export interface AbortReply {
  readonly type: 'abort';
  readonly id: number;
}

export type CommonEffects =
  | TransactEffect
  | BroadcastEffect
  | PostEffect
  | WriteReply
  | MoreReply
  | AbortReply;

export interface SetWindowTimerEffect {
  readonly type: 'timer';
  readonly name: WindowTimer;
  readonly delayMs: number;
}

export interface CancelWindowTimerEffect {
  readonly type: 'cancel';
  readonly name: WindowTimer;
}

export type WindowPhase = 'opening' | 'ready' | 'loading' | 'reloading';

export interface SyncScope {
  readonly table: string;
  readonly where: unknown;
  readonly filled: boolean | string;
  readonly asked?: number;
  readonly inner?: boolean;
}

export interface WindowState {
  readonly type: 'state';
  readonly phase: WindowPhase;
  readonly n: number;
  readonly cursors: Readonly<Record<string, string>>;
  readonly pending: number;
  readonly unsaved: number;
  readonly held: number;
  readonly oldestPendingAt: number | null;
  readonly conflicts: number;
  readonly clockOffset: number;
  readonly lastSyncedAt: number | null;
  readonly scopes: readonly SyncScope[];
  readonly lost?: readonly string[];
  readonly invitations: readonly unknown[] | null;
}

export interface LoadImageEffect {
  readonly type: 'loadImage';
  readonly generation: string;
  readonly mount: string | null;
  readonly parts: readonly ImagePart[];
}

export interface ReadyEffect {
  readonly type: 'ready';
}

export interface OpenFailedEffect {
  readonly type: 'openFailed';
  readonly error: HostError;
}

export interface ProblemEffect {
  readonly type: 'problem';
  readonly code: number;
  readonly detail: string;
  readonly scope?: WantedScope;
}

export interface StorageFailedEffect {
  readonly type: 'storageFailed';
  readonly error: HostError;
}

export interface StorageRecoveredEffect {
  readonly type: 'storageRecovered';
}

export interface DataLostEffect {
  readonly type: 'dataLost';
  readonly detail: string;
}

export interface UpdateNeededEffect {
  readonly type: 'updateNeeded';
}

export type MutationState = 'pending' | 'grouped';

export interface JudgedAt {
  readonly version: number;
  readonly n: number;
  readonly key: number;
}

export interface MutationRecord {
  readonly v: number;
  readonly id: string;
  readonly name: string;
  readonly at: number;
  readonly state: MutationState;
  readonly update: string | null;
  readonly held: boolean;
  readonly known: Readonly<Record<string, number>> | null;
  readonly realms: readonly string[];
  readonly keys: readonly string[];
  readonly body: Uint8Array;
  readonly before: Uint8Array;
  readonly alone?: boolean;
  readonly replayed?: boolean;
  readonly again?: boolean;
  readonly replaces?: string;
  readonly told?: readonly string[];
  readonly sent?: number;
  readonly judged?: JudgedAt;
}

export interface KeepEffect {
  readonly type: 'keep';
  readonly records: readonly MutationRecord[];
}

export type Stage = 'durable' | 'pushed' | 'confirmed';

export interface Failure {
  readonly code: string;
  readonly detail: string;
  readonly retryable: boolean;
}

export interface SettleEffect {
  readonly type: 'settle';
  readonly id: string;
  readonly stage: Stage;
  readonly error: Failure | null;
}

export interface ConfirmedAction {
  readonly id: string;
  readonly name: string;
  readonly arg: unknown;
  readonly at: number;
  readonly madeAt: number;
  readonly author: string;
  readonly place: readonly [number, number];
}

export interface StreamPageEffect {
  readonly type: 'streamPage';
  readonly id: number;
  readonly actions: readonly ConfirmedAction[];
  readonly floor: number;
  readonly error: string | null;
}

export interface ShownAction {
  readonly id: string;
  readonly name: string;
  readonly arg: string;
  readonly at: number;
}

export interface ShownChange {
  readonly table: string;
  readonly id: string;
  readonly realm: string;
  readonly base: unknown;
  readonly mine: unknown;
  readonly theirs: unknown;
}

export interface ShownConflict {
  readonly key: number;
  readonly table: string | null;
  readonly id: string | null;
  readonly reason: string;
  readonly code: string;
  readonly detail: string;
  readonly at: number;
  readonly mutation: ShownAction;
  readonly changes: readonly ShownChange[];
  readonly others: number;
  readonly dependsOn: string | null;
}

export interface ConflictsEffect {
  readonly type: 'conflicts';
  readonly items: readonly ShownConflict[];
}

export interface ResolvedEffect {
  readonly type: 'resolved';
  readonly id: number;
  readonly error: Failure | null;
}

export interface ValidateEffect {
  readonly type: 'validate';
  readonly all: boolean;
  readonly rows: readonly NamedRow[];
}

export interface UndoEffect {
  readonly type: 'undo';
  readonly undo: ShownAction | null;
  readonly redo: ShownAction | null;
}

export interface KeepUndoEffect {
  readonly type: 'keepUndo';
  readonly text: string | null;
  readonly dropped: string | null;
}

export type CompareNext = 'work' | 'ask' | 'pull' | 'done';

export interface ComparedEffect {
  readonly type: 'compared';
  readonly next: CompareNext;
  readonly request: string | null;
  readonly checked: number;
  readonly left: number;
  readonly hopeless: number;
}

export interface OfferEffect {
  readonly type: 'offer';
  readonly path: string;
  readonly request: string;
}

export interface MendedEffect {
  readonly type: 'mended';
  readonly rows: readonly NamedRow[];
}

export type WindowEffects =
  | SetWindowTimerEffect
  | CancelWindowTimerEffect
  | WindowState
  | LoadImageEffect
  | ReadyEffect
  | OpenFailedEffect
  | ProblemEffect
  | StorageFailedEffect
  | StorageRecoveredEffect
  | DataLostEffect
  | UpdateNeededEffect
  | KeepEffect
  | SettleEffect
  | StreamPageEffect
  | ConflictsEffect
  | ResolvedEffect
  | ValidateEffect
  | UndoEffect
  | KeepUndoEffect
  | ComparedEffect
  | OfferEffect
  | MendedEffect;

export interface SetWorkerTimerEffect {
  readonly type: 'timer';
  readonly name: WorkerTimer;
  readonly delayMs: number;
}

export interface CancelWorkerTimerEffect {
  readonly type: 'cancel';
  readonly name: WorkerTimer;
}

export type Method = 'GET' | 'POST';

export interface FetchEffect {
  readonly type: 'fetch';
  readonly id: number;
  readonly method: Method;
  readonly path: string;
  readonly body: Uint8Array;
  readonly token: string | null;
  readonly timeoutMs: number;
  readonly maxBytes?: number;
}

export interface AbortFetchEffect {
  readonly type: 'abortFetch';
  readonly id: number;
}

export type ImageJobKind = 'fill' | 'compact';

export interface ImagePointer {
  readonly generation: string;
  readonly mount?: string;
  readonly parts: readonly ImagePart[];
  readonly n: number;
  readonly cursors: Readonly<Record<string, string>>;
  readonly recordBytes?: number;
  readonly layout?: string;
}

export interface ImageFetch {
  readonly url: string;
  readonly bytes: number;
  readonly checksum: string;
  readonly realm: string;
  readonly token: string | null;
  readonly timeoutMs: number;
}

export interface ImageJob {
  readonly kind: ImageJobKind;
  readonly generation: string;
  readonly mount: string;
  readonly number: number;
  readonly compacts: boolean;
  readonly from: ImagePointer | null;
  readonly upto: number;
  readonly fetch: ImageFetch | null;
  readonly dropRealms: readonly string[];
  readonly cursors: Readonly<Record<string, string>>;
  readonly schema: unknown;
}

export type EmptyingJobKind = 'empty';

export interface EmptyingJob {
  readonly kind: EmptyingJobKind;
  readonly number: number;
  readonly mounts: readonly string[];
  readonly generations: readonly string[] | null;
  readonly keep: readonly string[];
}

export interface StartImageEffect {
  readonly type: 'image';
  readonly id: number;
  readonly job: ImageJob | EmptyingJob;
}

export interface AbortImageEffect {
  readonly type: 'abortImage';
  readonly id: number;
}

export type LockAction = 'request' | 'steal' | 'release';

export interface LockEffect {
  readonly type: 'lock';
  readonly name: LeaseName;
  readonly action: LockAction;
}

export type TokenNeed = 'expired' | 'start' | 'refused';

export interface AskTokenEffect {
  readonly type: 'needToken';
  readonly why: TokenNeed;
}

export type SocketAction = 'open' | 'send' | 'close';

export interface SocketEffect {
  readonly type: 'socket';
  readonly action: SocketAction;
  readonly text?: string;
}

export interface WakeServiceEffect {
  readonly type: 'wakeService';
  readonly message: unknown;
}

export type WorkerRole = 'none' | 'hidden' | 'holder' | 'waiter';

export interface StatusLease {
  readonly owner: string | null;
  readonly epoch: number;
  readonly beat: number;
}

export type Phase =
  | 'opening'
  | 'filling'
  | 'idle'
  | 'pulling'
  | 'pushing'
  | 'waiting'
  | 'offline'
  | 'paused'
  | 'blocked';

export interface SyncError {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

export type StatusMode = 'lease' | 'service-worker';

export interface StatusRecord {
  readonly role: WorkerRole;
  readonly lease: StatusLease | null;
  readonly phase: Phase;
  readonly n: number;
  readonly pending: number;
  readonly conflicts: number;
  readonly lastSyncedAt: number | null;
  readonly nextTryAt: number | null;
  readonly progress: Progress | null;
  readonly error: SyncError | null;
  readonly needsAuth: boolean;
  readonly scopes: readonly SyncScope[] | null;
  readonly mode: StatusMode;
  readonly modeReason: string;
  readonly instance?: string;
  readonly online: boolean;
  readonly connected: boolean;
  readonly lastHeardAt: number | null;
  readonly clockOffsetMs: number;
}

export interface ShowStatusEffect {
  readonly type: 'status';
  readonly status: StatusRecord;
}

export type WorkerEffects =
  | SetWorkerTimerEffect
  | CancelWorkerTimerEffect
  | FetchEffect
  | AbortFetchEffect
  | StartImageEffect
  | AbortImageEffect
  | LockEffect
  | AskTokenEffect
  | SocketEffect
  | WakeServiceEffect
  | ShowStatusEffect;

export interface DirtyRows {
  readonly table: number;
  readonly slots: Uint8Array;
}

export interface LiveNews {
  readonly live: number;
  readonly rows: Uint8Array;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  readonly moved: readonly string[];
}

export interface PendingAction {
  readonly id: string;
  readonly name: string;
  readonly arg: unknown;
  readonly at: number;
}

export interface PendingNews {
  readonly all: readonly PendingAction[] | null;
  readonly added: readonly PendingAction[];
  readonly removed: readonly string[];
}

export interface FoldedState {
  readonly reducer: number;
  readonly revision: number;
  readonly state: unknown;
}

export interface StreamNews {
  readonly stream: number;
  readonly pending: PendingNews;
  readonly reset: boolean;
  readonly state: FoldedState | null;
  readonly actions: readonly ConfirmedAction[];
  readonly upto: number;
  readonly loaded: boolean;
  readonly gone: boolean;
  readonly whole: boolean;
}

export interface Drained {
  readonly dirty: readonly DirtyRows[];
  readonly live: readonly LiveNews[];
  readonly streams: readonly StreamNews[];
}

export interface KeptProp {
  readonly table: string;
  readonly id: string;
  readonly prop: string;
}

export interface MutatedMessage {
  readonly type: 'mutated';
}

export type WakeFor = 'visible' | 'mutation' | 'due' | 'poke' | 'refill';

export interface WakeMessage {
  readonly type: 'wake';
  readonly reason: WakeFor;
  readonly realm?: string;
  readonly revision?: number;
}

export interface VisibleMessage {
  readonly type: 'visible';
  readonly visible: boolean;
}

export interface OnlineMessage {
  readonly type: 'online';
  readonly online: boolean;
}

export interface PauseMessage {
  readonly type: 'pause';
}

export interface ResumeMessage {
  readonly type: 'resume';
}

export interface SyncMessage {
  readonly type: 'sync';
  readonly id: unknown;
}

export interface HistoryMessage {
  readonly type: 'history';
  readonly id: number;
  readonly path: string;
  readonly body?: string;
}

export interface ServiceMessage {
  readonly type: 'service';
  readonly active: boolean;
  readonly reason: string;
}

export interface StopMessage {
  readonly type: 'stop';
}

export type PostMessages =
  | MutatedMessage
  | WakeMessage
  | VisibleMessage
  | OnlineMessage
  | PauseMessage
  | ResumeMessage
  | SyncMessage
  | ScopesMessage
  | StreamsMessage
  | HistoryMessage
  | TokenMessage
  | ServiceMessage
  | StopMessage;

export interface AddedNotice {
  readonly type: 'added';
}

export interface LeftMessage {
  readonly type: 'left';
}

export interface LeaseRecord {
  readonly v: number;
  readonly owner: string | null;
  readonly epoch: number;
  readonly beat: number;
  readonly claimedAt: number;
  readonly beatAt: number;
  readonly job: string | null;
}

export type LeaseOutcome = 'done' | 'failed' | 'left';

export interface LeaseMessage {
  readonly type: 'lease';
  readonly name: LeaseName;
  readonly lease: LeaseRecord;
  readonly outcome: LeaseOutcome;
}

export interface StatusMessage {
  readonly type: 'status';
  readonly shared: StatusRecord;
  readonly n: number;
}

export interface PushedNotice {
  readonly type: 'pushed';
}

export interface ServiceFailedMessage {
  readonly type: 'serviceFailed';
  readonly reason: string;
}

export interface FillMessage {
  readonly type: 'fill';
}

export interface NeedTokenMessage {
  readonly type: 'needToken';
  readonly why: TokenNeed;
}

export interface AskedId {
  readonly tab: string;
  readonly id: unknown;
}

export interface HelperSyncedMessage {
  readonly type: 'synced';
  readonly id: AskedId;
  readonly error: SyncError | null;
}

export interface LoggedMessage {
  readonly type: 'logged';
  readonly n: number;
  readonly cursors: Readonly<Record<string, string>> | null;
  readonly recordBytes: number;
}

export type UpdateKind = 'pull' | 'refusal' | 'scopes' | 'image' | 'local' | 'mended';

export interface NamedMutation {
  readonly id: string;
  readonly key: number | string;
}

export interface RefusedMutation {
  readonly id: string;
  readonly key: number | string;
  readonly code: string;
  readonly detail: string;
}

export interface PartlyConfirmed {
  readonly id: string;
  readonly realms: readonly string[];
}

export interface SyncStream {
  readonly stream: string;
  readonly last?: number;
  readonly behind: Readonly<Record<string, number>>;
  readonly asked?: number;
  readonly reducer?: number;
  readonly migrates?: boolean;
}

export interface UpdateRecord {
  readonly v: number;
  readonly n: number;
  readonly kind: UpdateKind;
  readonly generation?: string;
  readonly confirmed: readonly NamedMutation[];
  readonly refused: readonly RefusedMutation[];
  readonly partly: readonly PartlyConfirmed[];
  readonly cursors: Readonly<Record<string, string>>;
  readonly lost?: readonly string[];
  readonly streams?: readonly SyncStream[];
  readonly invitations?: unknown;
  readonly forgotten?: Readonly<Record<string, number>>;
  readonly revokes?: boolean;
  readonly body: Uint8Array;
}

export interface RecordMessage {
  readonly type: 'record';
  readonly record: UpdateRecord;
}

export interface ReachMessage {
  readonly type: 'reach';
  readonly reached: boolean;
  readonly heardAt: number | null;
  readonly socket?: boolean;
  readonly retryAt?: number;
}

export interface CheckSocketMessage {
  readonly type: 'checkSocket';
  readonly brought: Readonly<Record<string, number>>;
}

export interface ValidatedMessage {
  readonly type: 'validated';
  readonly n: number;
  readonly version: number;
}

export type ChannelMessages =
  | AddedNotice
  | LeftMessage
  | WakeMessage
  | LeaseMessage
  | StatusMessage
  | PushedNotice
  | ServiceFailedMessage
  | FillMessage
  | NeedTokenMessage
  | HelperSyncedMessage
  | LoggedMessage
  | RecordMessage
  | ReachMessage
  | CheckSocketMessage
  | ValidatedMessage;

export interface LeaseCopyMessage {
  readonly type: 'lease';
  readonly name: LeaseName;
  readonly owner: string | null;
  readonly epoch: number;
}

export interface SyncedMessage {
  readonly type: 'synced';
  readonly id: unknown;
  readonly error: SyncError | null;
}

export interface ScopesFailedMessage {
  readonly type: 'scopesFailed';
  readonly error: SyncError | null;
  readonly drop: readonly WantedScope[];
  readonly leftOut?: readonly SyncScope[];
}

export interface StreamsFailedMessage {
  readonly type: 'streamsFailed';
  readonly leftOut: readonly WantedStream[];
}

export interface HistoryAnswerMessage {
  readonly type: 'historyAnswer';
  readonly id: number;
  readonly page: unknown;
  readonly error: SyncError | null;
}

export interface ImageFailedMessage {
  readonly type: 'imageFailed';
  readonly error: SyncError | null;
}

export interface UnreadableMessage {
  readonly type: 'unreadable';
  readonly damaged?: boolean;
}

export type WorkerPosts =
  | LeaseCopyMessage
  | SyncedMessage
  | ScopesFailedMessage
  | StreamsFailedMessage
  | HistoryAnswerMessage
  | ImageFailedMessage
  | LeftMessage
  | UnreadableMessage;

export interface HelperNote {
  readonly online: boolean | null;
  readonly listening: boolean | null;
}

export interface KeptMessage {
  readonly type: 'kept';
}

export interface RuledAction {
  readonly id: string;
  readonly name: string;
  readonly arg: unknown;
  readonly at: number;
}

export interface RuledRow {
  readonly table: string;
  readonly id: string;
  readonly realm: string;
  readonly before: unknown;
  readonly after: unknown;
}

export interface RuleRead {
  readonly query: unknown;
  readonly before?: boolean;
  readonly what: string;
  readonly column?: string;
}

export interface RuleQuestion {
  readonly place: number;
  readonly client: string;
  readonly user: string;
  readonly action: RuledAction;
  readonly changed: readonly RuledRow[];
  readonly reads: readonly RuleRead[];
  readonly values: readonly unknown[];
}

export interface RuleProblem {
  readonly table?: string;
  readonly id?: string;
  readonly realm?: string;
  readonly code: string;
  readonly message: string;
}

export interface RuleAnswer {
  readonly place: number;
  readonly reads?: readonly RuleRead[];
  readonly problems?: readonly RuleProblem[];
  readonly failed?: string;
}

export interface ConflictsMessage {
  readonly type: 'conflicts';
}

export interface AddedItem {
  readonly id: string;
  readonly record: MutationRecord;
  readonly key: number | string;
}

export interface AddedMessage {
  readonly type: 'added';
  readonly tab: string;
  readonly items: readonly AddedItem[];
}
