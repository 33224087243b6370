/**
 * The feed of `skerry/inspector`: what is known of one open database, as plain data that JSON can hold. docs/guide/inspector.md
 * describes it member by member. Times are ms since 1970, durations ms, sizes bytes. No member holds a token.
 */

/** Raised when a member goes or changes its meaning. Members may be added at any time. */
export const inspectorVersion = 1;

export interface InspectorView {
  readonly version: typeof inspectorVersion;
  /** When it was made, by this window's clock. */
  readonly at: number;
  readonly database: InspectedDatabase;
  readonly status: InspectedStatus;
  readonly pusher: InspectedPusher;
  /** The newest first. */
  readonly actions: readonly InspectedAction[];
  readonly outbox: InspectedOutbox;
  readonly scopes: readonly InspectedScope[];
  readonly streams: readonly InspectedStream[];
  readonly realms: readonly InspectedRealm[];
  readonly problems: readonly InspectedProblem[];
  readonly conflicts: readonly InspectedConflict[];
  readonly queries: readonly InspectedQuery[];
  readonly storage: InspectedStorage;
  readonly images: InspectedImages;
  readonly clock: InspectedClock;
  /** The newest first. */
  readonly requests: readonly InspectedRequest[];
  /** The newest first. */
  readonly log: readonly InspectedLine[];
  /** What was left out, because it was too much. */
  readonly leftOut: InspectedLeftOut;
}

export interface InspectedDatabase {
  /** The option `name` of `open`. */
  readonly name: string;
  readonly user: string | null;
  /** Of the schema. */
  readonly schema: number;
  /** The name of this window among those of the database. */
  readonly window: string;
  readonly state: string;
  /** Why it is closed; null: it is open. */
  readonly closed: string | null;
}

export interface InspectedError {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

/** `db.sync.status`, and what only the core knows of it. */
export interface InspectedStatus {
  readonly mode: string;
  readonly modeReason: string;
  readonly phase: string;
  readonly role: string;
  readonly online: boolean;
  readonly connected: boolean;
  readonly needsAuth: boolean;
  readonly writable: boolean;
  readonly pending: number;
  /** Of these, those that are not stored yet, and those that the application's rules hold back. */
  readonly unsaved: number;
  readonly held: number;
  readonly conflicts: number;
  /** Of the initial sync, in bytes. */
  readonly progress: { readonly done: number; readonly total: number } | null;
  readonly error: InspectedError | null;
  readonly oldestPendingAt: number | null;
  readonly lastSyncedAt: number | null;
  readonly lastHeardAt: number | null;
  readonly nextTryAt: number | null;
}

/** Who pushes and pulls for all windows. */
export interface InspectedPusher {
  readonly by: 'service-worker' | 'this-window' | 'another-window' | 'nobody';
  /** Why, in words. */
  readonly reason: string;
  /** The window, or the service worker, that holds the lease for pushing. */
  readonly owner: string | null;
  readonly leases: readonly InspectedLease[];
}

/** A lease as it is in storage. `push`: pushes and pulls; `listen`: has the socket; `image`: makes images. */
export interface InspectedLease {
  readonly name: string;
  readonly owner: string | null;
  readonly isThisWindow: boolean;
  readonly epoch: number;
  readonly beat: number;
  readonly claimedAt: number;
  readonly beatAt: number;
}

export interface InspectedObject {
  readonly table: string;
  readonly id: string;
  /** Only where the application's own ids make it part of the name. */
  readonly realm?: string;
}

/**
 * `made`, by a mutator; `stored`, in this browser, or `failed` and taken back; `held` back by a rule of the application, and `freed`; `grouped` into an update; `sent`;
 * `received` by the server; confirmed `partly`, in some of its realms; `confirmed`; or `refused`.
 */
export type InspectedStage =
  | 'made'
  | 'stored'
  | 'failed'
  | 'held'
  | 'freed'
  | 'grouped'
  | 'sent'
  | 'received'
  | 'partly'
  | 'confirmed'
  | 'refused';

export interface InspectedStep {
  readonly is: InspectedStage;
  /** When the inspector saw it; of `made`: when it was made. */
  readonly at: number;
  /** The update that it is in. */
  readonly update?: string;
  /** Of `refused` and `failed`. */
  readonly code?: string;
  readonly detail?: string;
  /** Of `confirmed`: the record of this database that has it. */
  readonly n?: number;
}

export interface InspectedAction {
  readonly id: string;
  readonly name: string;
  /** When it was made. */
  readonly at: number;
  /** `stored`: it was pending already when the inspector was opened, or came from a file. */
  readonly from: 'this-window' | 'another-window' | 'stored';
  readonly realms: readonly string[];
  readonly objects: readonly InspectedObject[];
  /** In their order. A step that was over before the inspector could see it is missing. */
  readonly steps: readonly InspectedStep[];
}

export interface InspectedOutbox {
  /** All that is stored and not confirmed everywhere. */
  readonly pendingCount: number;
  /** The oldest of these. */
  readonly pending: readonly InspectedPending[];
  readonly updateCount: number;
  readonly updates: readonly InspectedUpdate[];
}

export interface InspectedPending {
  /** Its place in the order of all mutations. */
  readonly key: number;
  readonly id: string;
  readonly name: string;
  readonly at: number;
  readonly held: boolean;
  readonly update: string | null;
  readonly realms: readonly string[];
  readonly objects: readonly InspectedObject[];
  readonly bytes: number;
}

export interface InspectedUpdate {
  readonly id: string;
  /** `new`: never sent; `sent`: it waits for an answer; `received`: the server has it, and a pull has to confirm it. */
  readonly state: string;
  readonly at: number;
  /** Of the lease under which it was first sent. */
  readonly epoch: number;
  /** The ids of its actions. */
  readonly actions: readonly string[];
  readonly realms: readonly string[];
  readonly bytes: number;
}

export interface InspectedScope {
  readonly table: string;
  /** The filter, as on the wire. */
  readonly where: unknown;
  /** How far its initial sync has come. */
  readonly fill: 'none' | 'part' | 'whole';
  /** Of `part`: the id of the last row that has come. */
  readonly upto: string | null;
  /** Another scope needs it, and no window asks for it. */
  readonly inner: boolean;
}

export interface InspectedStream {
  readonly stream: string;
  /** By realm: only actions up to this revision are here. Realms that are missing are whole. */
  readonly behind: Readonly<Record<string, number>>;
  readonly last: number | null;
  readonly reducer: number | null;
}

export interface InspectedRealm {
  readonly realm: string;
  /** Up to which this window has it; null: nothing of it. */
  readonly revision: number | null;
  /** By membership; null: the user is no member. */
  readonly role: string | null;
  /** Whether the user may write to it, as far as is known here. */
  readonly mayWrite: boolean;
  /** The server has lost it. */
  readonly lost: boolean;
}

export interface InspectedProblem {
  readonly table: string;
  readonly id: string;
  readonly message: string;
  readonly mutations: readonly string[];
}

/** An entry of the inbox. Values of rows are as in an export: dates, bytes and objects of classes as `{"$type",…}`. */
export interface InspectedConflict {
  readonly id: number;
  readonly table: string;
  readonly key: string;
  readonly reason: string;
  readonly code: string;
  readonly detail: string;
  readonly at: number;
  readonly action: { readonly id: string; readonly name: string; readonly at: number } | null;
  readonly base: unknown;
  readonly mine: unknown;
  readonly theirs: unknown;
  readonly dependsOn: string | null;
}

/** A live query that has subscribers. */
export interface InspectedQuery {
  /** The core's number for it. */
  readonly number: number;
  readonly table: string;
  readonly kind: 'rows' | 'first' | 'count';
  readonly where: unknown;
  readonly order: readonly string[];
  readonly limit: number | null;
  readonly offset: number;
  readonly include: readonly string[];
  /** In its result; of `count`: what it counts. Null: they cannot be read. */
  readonly rows: number | null;
  /**
   * The columns of its conditions that have an index. The core takes the one that leaves the fewest rows, and does not say which it took. Empty:
   * it looks at all rows of the table.
   */
  readonly indexes: readonly string[];
  /** How long the core took to run it from nothing, once, when the inspector first saw it. */
  readonly runMs: number;
  /** Since then: how often its result has changed, and how long it took to bring the rows up to date. */
  readonly updates: number;
  readonly updateMs: number;
  readonly slowestMs: number;
  readonly updatedAt: number | null;
}

export interface InspectedStorage {
  /** Of the whole site, as the browser estimates it; null: it does not say. */
  readonly usage: number | null;
  readonly quota: number | null;
  /** Whether the browser has promised not to evict it. */
  readonly persisted: boolean | null;
  /** Records by store of IndexedDB; null: not counted yet. */
  readonly records: Readonly<Record<string, number>> | null;
  /** Of the bodies of all records of base. */
  readonly recordBytes: number;
  /** Why storage could not be read the last time. */
  readonly error: string | null;
}

export interface InspectedImages {
  readonly current: InspectedImage | null;
  /** The one before, in case that the current one cannot be read. */
  readonly previous: InspectedImage | null;
}

export interface InspectedImage {
  readonly generation: string;
  readonly mount: string | null;
  /** The record up to which it has all. */
  readonly n: number;
  readonly bytes: number;
  readonly parts: readonly { readonly file: string; readonly bytes: number }[];
}

export interface InspectedClock {
  /** How far the server's clock is ahead. */
  readonly offsetMs: number;
  /** The number of the last record that this window has applied, and of the last one that is stored: the log's own clock. */
  readonly n: number;
  readonly storedN: number;
}

export interface InspectedRequest {
  /** The window or the service worker. */
  readonly from: string;
  readonly by: 'service-worker' | 'this-window' | 'another-window';
  readonly at: number;
  readonly method: string;
  /** Behind the server's address. */
  readonly path: string;
  /** Of the body, before it is compressed. */
  readonly sent: number;
  /** Null: no answer yet, or none came. */
  readonly status: number | null;
  readonly received: number | null;
  /** Null while it is under way. */
  readonly ms: number | null;
  /** Why there is no answer. */
  readonly error: string | null;
}

export interface InspectedLine {
  readonly at: number;
  readonly is:
    | 'phase'
    | 'pusher'
    | 'error'
    | 'data-lost'
    | 'storage-failed'
    | 'update-needed'
    | 'closed';
  readonly detail: string;
}

export interface InspectedLeftOut {
  readonly actions: number;
  readonly requests: number;
  readonly log: number;
}
