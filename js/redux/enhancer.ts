/** `skerryEnhancer`: a Redux store of which named slices are durable, work offline, and are in step with other devices. */
import type { StoreEnhancer } from 'redux';
import type { AnyDatabase } from '../api/database.ts';
import { open, schema, UnsupportedError, ValidationError } from '../index.ts';
import { type GroupHost, type InnerStore, SliceGroup, type StreamOptions } from './group.ts';
import { checkEnhancer, deviceName, type EnhancerOptions, matcher } from './options.ts';
import { type Action, type Owned, OwnedSlices, type RootReducer } from './owned-slices.ts';

/** Tells the store that all is there; no reducer needs to know it. */
const whole = 'skerry/whole';

/** What the enhancer adds to the store. */
export interface SkerryStore {
  /**
   * Resolves once the database is open: from then on actions are stored as they are dispatched. Rejects where it cannot be: with
   * UnsupportedError (`no_window`) where there is no IndexedDB.
   */
  readonly ready: Promise<AnyDatabase>;
  /**
   * Whether all synced actions that the server had at the last pull are in the store, and what is kept on this device only.
   * When it becomes so, the store is given an action `skerry/whole`, which calls its subscribers.
   */
  readonly whole: boolean;
  /** Nothing that is dispatched after this is stored. A database of the enhancer's own is closed. */
  close(): Promise<void>;
}

/** The stream of a database without tables. */
const noTables = () => schema({}, { version: 1 });

const ofHost = ({ durability, host, wasmUrl, workerUrl }: EnhancerOptions) => ({
  ...(durability && { durability }),
  ...(host && { host }),
  ...(wasmUrl && { wasmUrl }),
  ...(workerUrl && { workerUrl }),
});

/** The database of synced slices, where the application gives none. */
function openSynced(options: EnhancerOptions): Promise<AnyDatabase> {
  const { name, remote, user, defaultRealm, adoptLocal, serviceWorker, onUpdateNeeded } = options;
  return open({
    ...{ name, schema: noTables(), ...ofHost(options) },
    ...(remote && { remote, scopes: 'all' as const }),
    ...(user !== undefined && { user }),
    ...(defaultRealm !== undefined && { defaultRealm }),
    ...(adoptLocal !== undefined && { adoptLocal }),
    ...(serviceWorker !== undefined && { serviceWorker }),
    ...(onUpdateNeeded && { onUpdateNeeded }),
  });
}

/** That of slices of this device. */
function openDevice(
  options: EnhancerOptions,
  name: string,
  user: string | null | undefined,
): Promise<AnyDatabase> {
  return open({
    ...{ name: deviceName(name), schema: noTables(), ...ofHost(options) },
    ...(typeof user === 'string' && { user }),
  });
}

/** A server that renders has no storage: there the store is an ordinary one. */
function canStore({ db, host }: EnhancerOptions): boolean {
  return db !== undefined || host !== undefined || 'indexedDB' in globalThis;
}

function logError(error: Error): void {
  console.error('skerry: the store is not stored.', error);
}

class Binding implements SkerryStore, GroupHost {
  readonly #options: EnhancerOptions;
  readonly #synced: SliceGroup;
  readonly #device: SliceGroup | null;
  #root: RootReducer;
  #inner: InnerStore | null = null;
  ready: Promise<AnyDatabase> = new Promise(() => {});
  readonly #own: Promise<AnyDatabase>[] = [];
  /** They settle when a group has its stream, or will have none. */
  readonly #attached = new Map<SliceGroup, Promise<unknown>>();
  /** What the reducer has made of an action that is about to be given to the store. */
  #checked: { readonly state: Owned; readonly action: Action; readonly next: Owned } | null = null;
  #isChecking = false;
  /** Why there is no database. */
  #error: Error | null = null;
  #wasWhole = false;
  #isClosed = false;

  constructor(options: EnhancerOptions, root: RootReducer) {
    this.#options = options;
    this.#root = root;
    const group = (slices: readonly string[], takes: Parameters<typeof matcher>[0]) => {
      const owned = new OwnedSlices(slices, root);
      return new SliceGroup(matcher(takes), owned, owned.first, this);
    };
    this.#synced = group(options.slices, options.sync);
    const { persist } = options;
    this.#device = persist ? group(persist.slices, persist.actions) : null;
  }

  /** What is kept on this device comes first: an action that both take is of this device. */
  get #groups(): readonly SliceGroup[] {
    return this.#device ? [this.#device, this.#synced] : [this.#synced];
  }

  get whole(): boolean {
    return this.#groups.every(({ whole }) => whole);
  }

  readonly reduce: RootReducer = (state, action) => {
    const checked = this.#checked;
    const isKnown = checked?.state === state && checked?.action === action;
    const next = isKnown ? checked?.next : this.#root(state, action);
    return this.#groups.reduce((made, group) => group.reduce(state, action, made), next);
  };

  dispatch(inner: InnerStore, action: unknown): unknown {
    if (this.#isChecking || this.#groups.some(({ slices }) => slices.isReducing))
      throw new ValidationError('invalid_argument', 'A reducer may not dispatch actions.');
    const isAction = typeof (action as { type?: unknown } | null)?.type === 'string';
    const group = isAction ? this.#groups.find(({ takes }) => takes(action as Action)) : undefined;
    if (!group || this.#isClosed) return inner.dispatch(action as Action);
    try {
      return group.dispatch(action as Action);
    } finally {
      this.#checked = null;
    }
  }

  check(action: Action): void {
    const state = this.#inner?.getState() as Owned;
    this.#isChecking = true;
    try {
      this.#checked = { state, action, next: this.#root(state, action) };
    } finally {
      this.#isChecking = false;
    }
  }

  becameWhole(): void {
    if (!this.whole || this.#wasWhole) return;
    this.#wasWhole = true;
    this.#inner?.dispatch({ type: whole });
  }

  replace(root: RootReducer): void {
    for (const group of this.#groups) group.replace(root);
    this.#root = root;
  }

  begin(inner: InnerStore, preloaded: unknown): void {
    this.#inner = inner;
    for (const group of this.#groups) group.begin(inner, preloaded);
    const { db, name, user, stream = 'redux', realm, version, migrate, inverse } = this.#options;
    if (!canStore(this.#options)) {
      for (const group of this.#groups) group.detach();
      const text = 'There is no IndexedDB here: the store is an ordinary one.';
      this.ready = Promise.reject(new UnsupportedError('no_window', text));
      this.ready.catch(() => {});
      return;
    }
    const synced = db === undefined ? openSynced(this.#options) : Promise.resolve(db);
    if (db === undefined) this.#own.push(synced);
    this.ready = this.#attach(synced, this.#synced, {
      ...{ stream, realm, version, migrate },
      inverse,
    });
    if (!this.#device) return;
    const beside = db === undefined ? Promise.resolve({ name, user }) : synced;
    const device = beside.then((one) => openDevice(this.#options, one.name, one.user));
    this.#own.push(device);
    void this.#attach(device, this.#device, { stream, version, migrate });
  }

  #attach(opening: Promise<AnyDatabase>, group: SliceGroup, options: StreamOptions) {
    const { onError = logError } = this.#options;
    const attaching = opening.then((db) => {
      const failed = this.#isClosed ? group.store(db, options) : group.attach(db, options);
      if (failed) onError(failed);
      return db;
    });
    const settled = attaching.catch((error: Error) => {
      group.detach();
      // Both groups may lack the same database.
      if (!this.#isClosed && error !== this.#error) onError(error);
      this.#error = error;
    });
    this.#attached.set(group, settled);
    return attaching;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const group of this.#groups) {
      // What was dispatched before is stored first.
      if (group.hasEarly) await this.#attached.get(group);
      group.detach();
    }
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
    binding.begin(inner as unknown as InnerStore, preloaded);
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
