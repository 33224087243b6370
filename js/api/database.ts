/**
 * `open`, and the database as the application has it. Local data is all that `open` waits for; the network is never
 * waited for (docs/design.md, "Images").
 */
import { type BrowserModule, loadModule } from '../core/browser-module.ts';
import { checkFunction, StorageError } from '../core/errors.ts';
import { declaredTables } from '../core/members.ts';
import { loadError } from '../core/module.ts';
import type { RowView } from '../core/row-view.ts';
import { SchemaCodec } from '../core/values.ts';
import { browserHost } from '../host/browser-host.ts';
import type { Host } from '../host/host.ts';
import { storageNewer } from '../host/idb-request.ts';
import { ImageReader } from '../host/image-reader.ts';
import { indexedDbStorage } from '../host/indexeddb.ts';
import type { Storage } from '../host/storage.ts';
import type { ExportOptions } from './account/export.ts';
import type { LogoutOptions } from './account/logout.ts';
import { buildDatabase } from './build-database.ts';
import type { Conflicts } from './conflicts.ts';
import type { DatabaseCore } from './database-core.ts';
import type { DatabaseEvents } from './events.ts';
import { inspected } from './inspected.ts';
import type { MadeAction, RunHow } from './mutations.ts';
import { checkOptions, databaseName, databasesWith, type OpenOptions } from './options.ts';
import type { Problem } from './problems.ts';
import { TableReader } from './query.ts';
import type { Realms } from './realms.ts';
import { wholeAddress } from './remote.ts';
import { type Replay, type ReplayedAction, replay } from './replay.ts';
import { schemaDef } from './schema.ts';
import type {
  DataStream,
  DataStreamOptions,
  ReducedStream,
  ReducedStreamOptions,
} from './stream-types.ts';
import type { SyncApi } from './sync-types.ts';
import type {
  Live,
  Mutate,
  Mutation,
  MutationOptions,
  Mutators,
  Reader,
  Schema,
  Stop,
  Sync,
  Tables,
  Tx,
} from './types.ts';
import type { CanUndo, Undone } from './undo.ts';

export type Database<T extends Tables = Tables, M = unknown> = {
  readonly [K in keyof T]: Reader<T, K>;
} & {
  readonly name: string;
  readonly user: string | null;
  readonly mutate: Mutate<M>;
  /** One mutation without a mutator: logged as `skerry/transact`, with its operations as argument. */
  transact<V>(fn: (tx: Tx<T>) => V, options?: MutationOptions): Mutation<Sync<V>>;
  /**
   * Undoes the last action of this window that is not undone, by an action `skerry/undo`: only its own effect, never what others have
   * changed since. Null if there is nothing. Throws ReadOnlyError, ConflictError and so on, as the change itself would; then the
   * action is not offered again.
   */
  undo(): Undone | null;
  /** The same for what was undone last, until the window does something else. */
  redo(): Undone | null;
  readonly canUndo: CanUndo;
  readonly canRedo: CanUndo;
  /**
   * Runs actions that were made elsewhere (an export, another application) by the mutators of their names, under their own
   * ids. Each counts once, wherever and however often it is replayed.
   */
  replay(actions: readonly ReplayedAction[]): Replay;
  readonly sync: SyncApi;
  readonly conflicts: Conflicts<Tx<T>>;
  readonly realms: Realms;
  /** What the application's own rules find wrong with the data: actions by which a reducer throws. */
  readonly problems: Live<readonly Problem[]>;
  /** A stream of data items (docs/guide/streams.md). */
  stream<A>(name: string, options?: DataStreamOptions): DataStream<A>;
  /** A stream whose actions a reducer folds. */
  stream<S, A>(name: string, options: ReducedStreamOptions<S, A>): ReducedStream<S, A>;
  /**
   * The content of this database, as a file of JSON: the confirmed rows and the pending mutations, or these alone
   * (docs/accounts.md).
   */
  export(options?: ExportOptions): Promise<Blob>;
  /** Logs what such a file holds: its mutations under their own ids, and rows that are not here yet. */
  import(file: Blob): Promise<void>;
  /** Ends the session in all windows of this user, and deletes the user's data, unless they are to be kept. */
  logout(options?: LogoutOptions): Promise<void>;
  on<E extends keyof DatabaseEvents>(event: E, fn: (detail: DatabaseEvents[E]) => void): Stop;
  close(): Promise<void>;
} & AsyncDisposable;

/** A database of whatever tables and mutators. */
// biome-ignore lint/complexity/noBannedTypes: one without tables, to which each other one is assignable
export type AnyDatabase = Omit<Database<{}, {}>, 'transact' | 'mutate'>;

type AnyMutator = (tx: never, arg: unknown) => unknown;

export async function open<T extends Tables, M extends Mutators<T>>(
  options: OpenOptions<T, M>,
): Promise<Database<T, M>> {
  const core = await openCore(options as unknown as OpenOptions<Tables, unknown>);
  return publicDatabase(core) as unknown as Database<T, M>;
}

async function openCore(options: OpenOptions<Tables, unknown>): Promise<DatabaseCore> {
  const { signal } = options;
  signal?.throwIfAborted();
  checkOptions(options);
  const database = databaseName(options.name, options.user);
  const codec = new SchemaCodec(schemaDef(options.schema as Schema));
  const host = options.host ?? browserHost();
  if (options.remote) wholeAddress(options.remote, host.resolve);
  // Written out, because bundlers look for exactly this expression.
  const wasmUrl = options.wasmUrl ?? new URL('./skerry.wasm', import.meta.url);
  let core: DatabaseCore | null = null;
  const images = new ImageReader(host.storage, database);
  /** A newer version asked for the database before there was a core that could be notified. */
  let isLeft = false;
  const opening = host.storage
    .open(database, (end, error) => {
      if (core) core.lost(end, error);
      else if (end === 'newer-version') isLeft = true;
    })
    .then(async (storage) => {
      // A failure of this early look is the core's to find: it reads the same record.
      await images.begin(storage).catch(() => {});
      return storage;
    });
  const [module, storage] = await settleBoth(
    loadModule((url) => host.wasm(url), wasmUrl),
    opening,
  )
    .then((both) => {
      if (!isLeft) return both;
      both[1].close();
      throw storageNewer(database);
    })
    .catch((error: unknown) => {
      // As for an image that a newer version has made.
      if (error instanceof StorageError && error.code === 'storage_newer')
        options.onUpdateNeeded?.({ reason: 'newer-tab' });
      throw error;
    });
  core = buildDatabase({ options, host, module, wasmUrl, storage, images, codec, database });
  const opened = core;
  if (storage.dropped !== null)
    opened.parts.events.dataLost(`The browser dropped what it had stored: ${storage.dropped}`);
  const onAbort = () => void opened.close();
  signal?.addEventListener('abort', onAbort);
  try {
    signal?.throwIfAborted();
    await opened.start();
    // Local data are not lost where this fails: the status says why, and the next `open` tries again.
    if (options.adoptLocal)
      await account()
        .then((loaded) => loaded.adopt(opened))
        .catch((error) => opened.parts.sync.update({ error }));
    signal?.throwIfAborted();
  } catch (error) {
    void opened.close();
    throw signal?.aborted ? signal.reason : error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
  return opened;
}

/** Few applications use this, and rarely: it is a file of its own. */
function account(): Promise<typeof import('./account/account.ts')> {
  return import('./account/account.ts').catch((error) => {
    throw loadError(error);
  });
}

/** Waits for both, so that storage which did open is closed when the module could not be loaded. */
async function settleBoth(
  module: Promise<BrowserModule>,
  storage: Promise<Storage>,
): Promise<[BrowserModule, Storage]> {
  const [loaded, opened] = await Promise.allSettled([module, storage]);
  if (loaded.status === 'fulfilled' && opened.status === 'fulfilled')
    return [loaded.value, opened.value];
  if (opened.status === 'fulfilled') opened.value.close();
  throw opened.status === 'rejected' ? opened.reason : (loaded as PromiseRejectedResult).reason;
}

function publicDatabase(core: DatabaseCore): object {
  const { options, view, lives, mutations, sync, conflicts, realms, events, streams, undo } =
    core.parts;
  const tables = declaredTables(view.codec).map(
    (table) => [table.table.name, new TableReader(lives, table)] as const,
  );
  const mutators = new Map(Object.entries((options.mutators ?? {}) as Record<string, AnyMutator>));
  const run = (name: string, mutator: AnyMutator, arg: unknown, how: RunHow = {}) =>
    mutations.run(name, argText(view, arg), (tx) => mutator(tx, arg), how);
  const mutate = [...mutators].map(
    ([name, mutator]) =>
      [name, (arg?: unknown, how?: MutationOptions) => run(name, mutator, arg, how)] as const,
  );
  const replaying = {
    registry: view.codec.registry,
    hasRemote: options.remote !== undefined,
    inbox: () => new Set(conflicts.all().flatMap(({ mutation }) => mutation?.id ?? [])),
    now: () => core.parts.host.clock.now(),
    run: (name: string, arg: unknown, made: MadeAction) => {
      const mutator = mutators.get(name);
      return mutator === undefined ? null : run(name, mutator, arg, { made });
    },
  };
  const close = () => core.close();
  return Object.freeze({
    ...Object.fromEntries(tables),
    name: options.name,
    user: options.user ?? null,
    mutate: Object.freeze(Object.fromEntries(mutate)),
    transact: (fn: (tx: never) => unknown, how?: MutationOptions) => {
      checkFunction(fn, 'transact()');
      return mutations.run('skerry/transact', null, fn, how);
    },
    undo: () => mutations.undo(false),
    redo: () => mutations.undo(true),
    canUndo: undo.canUndo,
    canRedo: undo.canRedo,
    replay: (actions: readonly ReplayedAction[]) => replay(replaying, actions),
    sync,
    conflicts,
    realms,
    problems: core.parts.problems,
    stream: (name: string, how?: never) => streams.open(name, how),
    export: async (how?: ExportOptions) => (await account()).exportFile(core, how),
    import: async (file: Blob) => (await account()).importFile(core, file),
    logout: async (how?: LogoutOptions) => (await account()).logout(core, how),
    on: (event: string, fn: (detail: never) => void) => events.listen(event, fn),
    close,
    [inspected]: core,
    ...(typeof Symbol.asyncDispose === 'symbol' ? { [Symbol.asyncDispose]: close } : {}),
  });
}

/** The argument of an action as JSON text, with the application's own types inside. */
function argText(view: RowView, arg: unknown): string {
  return JSON.stringify(arg === undefined ? null : view.codec.registry.encode(arg));
}

/** Deletes a database and everything in it, unsent changes too. What windows have open of it is closed. */
export async function deleteDatabase(
  name: string,
  options: { user?: string; host?: Host } = {},
): Promise<void> {
  const storage = options.host?.storage ?? indexedDbStorage();
  for (const database of databasesWith(name, options.user)) await storage.delete(database);
}
