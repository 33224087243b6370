/** `skerryEnhancer`: a Redux store of which named slices are durable, work offline, and are in step with other devices. */
import type { StoreEnhancer } from 'redux';
import type { AnyDatabase } from '../api/database.ts';
import { open, schema } from '../index.ts';
import { Group, type InnerStore } from './group.ts';
import { checkEnhancer, type EnhancerOptions, matcher } from './options.ts';
import { type Action, OwnedSlices, type RootReducer } from './owned-slices.ts';

/** What the enhancer adds to the store. */
export interface SkerryStore {
  /** Resolves once the database is open: from then on actions are stored as they are dispatched. Rejects where it cannot be. */
  readonly ready: Promise<AnyDatabase>;
  /** Whether all synced actions that the server had at the last pull are in the store. */
  readonly whole: boolean;
  /** Nothing is stored after this. A database of the enhancer's own is closed. */
  close(): Promise<void>;
}

/** A type that no reducer knows: they give their initial states. */
const firstAction: Action = { type: 'skerry/first' };

/** The stream of a database without tables. */
const noTables = () => schema({}, { version: 1 });

/** Databases of the enhancer's own: that of synced slices, and that of slices of this device. */
async function openOwn(options: EnhancerOptions, isSynced: boolean): Promise<AnyDatabase> {
  const { name, remote, user, defaultRealm, adoptLocal, serviceWorker, ...rest } = options;
  const { durability, onUpdateNeeded, host, wasmUrl, workerUrl } = rest;
  const ofHost = {
    ...(durability && { durability }),
    ...(host && { host }),
    ...(wasmUrl && { wasmUrl }),
    ...(workerUrl && { workerUrl }),
  };
  if (!isSynced) return open({ name: `${name}.device`, schema: noTables(), ...ofHost });
  return open({
    ...{ name, schema: noTables(), ...ofHost },
    ...(remote && { remote, scopes: 'all' as const }),
    ...(user !== undefined && { user }),
    ...(defaultRealm !== undefined && { defaultRealm }),
    ...(adoptLocal !== undefined && { adoptLocal }),
    ...(serviceWorker !== undefined && { serviceWorker }),
    ...(onUpdateNeeded && { onUpdateNeeded }),
  });
}

/** A server that renders has no storage: there the store is an ordinary one. */
function canStore({ db, host }: EnhancerOptions): boolean {
  return db !== undefined || host !== undefined || 'indexedDB' in globalThis;
}

function logError(error: Error): void {
  console.error('skerry: the store is not stored.', error);
}

class Binding implements SkerryStore {
  readonly #options: EnhancerOptions;
  readonly #synced: Group;
  readonly #device: Group | null;
  #root: RootReducer;
  ready: Promise<AnyDatabase> = new Promise(() => {});
  readonly #own: Promise<AnyDatabase>[] = [];
  #isClosed = false;

  constructor(options: EnhancerOptions, root: RootReducer) {
    this.#options = options;
    this.#root = root;
    const first = root(undefined, firstAction);
    const group = (slices: readonly string[], takes: Parameters<typeof matcher>[0]) => {
      const owned = new OwnedSlices(slices, root);
      return new Group(matcher(takes), owned, owned.of(first));
    };
    this.#synced = group(options.slices, options.sync);
    const { persist } = options;
    this.#device = persist ? group(persist.slices, persist.actions) : null;
  }

  get #groups(): readonly Group[] {
    return this.#device ? [this.#synced, this.#device] : [this.#synced];
  }

  get whole(): boolean {
    return this.#synced.whole;
  }

  readonly reduce: RootReducer = (state, action) => {
    const next = this.#root(state, action);
    return this.#groups.reduce((made, group) => group.reduce(state, action, made), next);
  };

  dispatch(inner: InnerStore, action: unknown): unknown {
    const isAction = typeof (action as { type?: unknown } | null)?.type === 'string';
    const group = isAction ? this.#groups.find(({ takes }) => takes(action as Action)) : undefined;
    return group && !this.#isClosed
      ? group.dispatch(action as Action)
      : inner.dispatch(action as Action);
  }

  replace(root: RootReducer): void {
    this.#root = root;
    for (const group of this.#groups) group.replace(root);
  }

  begin(inner: InnerStore, isPreloaded: boolean): void {
    for (const group of this.#groups) group.begin(inner, isPreloaded);
    if (!canStore(this.#options)) return;
    const { db, stream = 'redux', realm, version, migrate } = this.#options;
    const synced = db === undefined ? openOwn(this.#options, true) : Promise.resolve(db);
    if (db === undefined) this.#own.push(synced);
    this.ready = this.#attach(synced, this.#synced, { stream, realm, version, migrate });
    const waiting: Promise<AnyDatabase>[] = [this.ready];
    if (this.#device) {
      const device = openOwn(this.#options, false);
      this.#own.push(device);
      waiting.push(this.#attach(device, this.#device, { stream, version, migrate }));
    }
    const { onError = logError } = this.#options;
    for (const one of waiting)
      one.catch((error: Error) => {
        if (!this.#isClosed) onError(error);
      });
  }

  async #attach(
    opening: Promise<AnyDatabase>,
    group: Group,
    options: Parameters<Group['attach']>[1],
  ): Promise<AnyDatabase> {
    const db = await opening;
    if (this.#isClosed) return db;
    const failed = group.attach(db, options);
    if (failed) (this.#options.onError ?? logError)(failed);
    return db;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const group of this.#groups) group.detach();
    for (const own of this.#own) {
      // Why it could not be opened has been said.
      const db = await own.catch(() => null);
      await db?.close();
    }
  }
}

/**
 * An enhancer for `createStore` and `configureStore`: slices of the root state are made of actions that Skerry stores, orders and
 * syncs. It goes behind the middleware: `configureStore({ reducer, enhancers: (all) => all().concat(skerryEnhancer(…)) })`.
 */
export function skerryEnhancer(
  options: EnhancerOptions,
): StoreEnhancer<{ readonly skerry: SkerryStore }> {
  checkEnhancer(options);
  return (createStore) => (reducer, preloaded) => {
    const binding = new Binding(options, reducer as RootReducer);
    const inner = createStore(binding.reduce as typeof reducer, preloaded);
    binding.begin(inner as unknown as InnerStore, preloaded !== undefined);
    return {
      ...inner,
      dispatch: ((action: unknown) =>
        binding.dispatch(inner as unknown as InnerStore, action)) as typeof inner.dispatch,
      replaceReducer(next) {
        binding.replace(next as RootReducer);
        inner.replaceReducer(binding.reduce as typeof next);
      },
      skerry: binding,
    };
  };
}
