/** One group of slices with its stream: those in step with others, or those of this device. */
import type { ReducedStream, ReducedStreamOptions } from '../api/stream-types.ts';
import type { Stop } from '../api/types.ts';
import { ValidationError } from '../index.ts';
import type { EnhancerOptions } from './options.ts';
import type { Action, Owned, OwnedSlices, RootReducer, Transition } from './owned-slices.ts';

/** Brings slices into the store that do not come from single actions. The DevTools show it, too. */
export const loadSnapshot = 'skerry/loadSnapshot';

/** More actions at once come as a whole, too. */
const maxSteps = 50;

/** What a group needs of the store beneath it. */
export interface InnerStore {
  dispatch(action: Action): unknown;
  getState(): Owned;
}

/** What a group needs of the enhancer. */
export interface GroupHost {
  /** Throws what the reducer of the whole store throws for this action. */
  check(action: Action): void;
  /** The group has become whole. */
  becameWhole(): void;
}

/** The part of a database that a group uses. */
export interface StreamSource {
  stream<S, A>(name: string, options: ReducedStreamOptions<S, A>): ReducedStream<S, A>;
}

export interface StreamOptions {
  readonly stream: string;
  readonly realm?: string | undefined;
  readonly version?: number | undefined;
  readonly migrate?: ((slices: Owned, version: number) => object) | undefined;
  readonly inverse?: EnhancerOptions['inverse'] | undefined;
}

/** An action that is in the stream, and what the store has made of it. */
interface LoggedAction {
  readonly transition: Transition;
  result?: unknown;
  failed?: { readonly error: unknown };
}

/** The slices that an open stream makes, and how it is opened with their reducer. */
interface Claim {
  readonly slices: string;
  readonly open: () => unknown;
}

/** By the stream itself: `realm`, `version` and their defaults name the same one in several ways. */
const claims = new WeakMap<object, Claim>();

/**
 * Opens a stream. Stores of the same slices may share one, as a store that is made again after the first was closed. Throws
 * ValidationError if another store has made other slices of it.
 */
function openClaimed<S extends object>(open: () => S, names: readonly string[]): S {
  const slices = [...names].sort().join(', ');
  const stream = open();
  const known = claims.get(stream);
  if (known && known.slices !== slices) {
    // To open it has given it another reducer.
    known.open();
    throw new ValidationError(
      'invalid_argument',
      `Another store of this database has made the slices ${known.slices} of the same stream: give one of them another \`stream\`.`,
    );
  }
  claims.set(stream, { slices, open });
  return stream;
}

export class SliceGroup {
  readonly takes: (action: Action) => boolean;
  readonly slices: OwnedSlices;
  readonly #host: GroupHost;
  #store: InnerStore | null = null;
  #stream: ReducedStream<Owned, Action> | null = null;
  /** Actions that were dispatched before the stream was open; null: it will not be opened. */
  #early: Action[] | null = [];
  /** The stream's first state. */
  #first: Owned;
  /** What the store has. */
  #current: Owned;
  /** The store was created with a state of these slices, which stays until the stream is whole. */
  #isPreloaded = false;
  /** What was there before comes as a whole; what happens from then on, action by action. */
  #wasWhole = false;
  /** The action that the store is being given, with what comes out. */
  #applying: Transition | null = null;
  /** The action that is in the stream, and not in the store yet. */
  #waiting: LoggedAction | null = null;
  #stop: Stop | null = null;

  get whole(): boolean {
    return this.#stream?.whole ?? false;
  }

  get hasEarly(): boolean {
    return this.#early !== null && this.#early.length > 0;
  }

  constructor(
    takes: (action: Action) => boolean,
    slices: OwnedSlices,
    first: Owned,
    host: GroupHost,
  ) {
    this.takes = takes;
    this.slices = slices;
    this.#host = host;
    this.#first = this.#current = first;
  }

  /** The store exists. `preloaded`: the state that it was created with, if it was. */
  begin(store: InnerStore, preloaded: unknown): void {
    this.#store = store;
    this.#current = this.slices.of(store.getState(), this.#first);
    this.#isPreloaded = this.slices.isIn(preloaded);
    if (!this.#isPreloaded) this.#first = this.#current;
  }

  /** What the reducer of the store makes of an action, of its own slices: as the stream does. */
  reduce(state: Owned | undefined, action: Action, next: Owned): Owned {
    if (action.type === loadSnapshot) return { ...next, ...(action['payload'] as Owned) };
    const applying = this.#applying;
    if (applying?.action !== action || !state) return next;
    return this.slices.of(state, applying.from) === applying.from
      ? { ...next, ...applying.to }
      : next;
  }

  /**
   * An action of this group. It is stored if the store and the stream can reduce it, and reduced if it can be stored. Throws
   * what a subscriber of the store throws, as Redux does; the action has happened then.
   */
  dispatch(action: Action): unknown {
    this.#giveWaiting();
    this.#host.check(action);
    const from = this.#current;
    const waiting: LoggedAction = {
      transition: { from, action, to: this.slices.reduce(from, action) },
    };
    this.#waiting = waiting;
    this.#current = waiting.transition.to;
    try {
      // Subscribers of the database are called meanwhile, who may dispatch, too.
      if (this.#stream) this.#stream.dispatch(action);
      else this.#early?.push(action);
    } catch (error) {
      this.#waiting = null;
      this.#current = from;
      throw error;
    }
    this.#giveWaiting();
    this.#follow();
    if (waiting.failed) throw waiting.failed.error;
    return waiting.result;
  }

  /**
   * The database is open: early actions are stored, and the store follows the stream from now on. Returns the error of an early
   * action that could not be stored, if there is one.
   */
  attach(db: StreamSource, options: StreamOptions): Error | null {
    const opened = this.#open(db, options);
    const failed = this.#storeEarly(opened);
    this.#stream = opened;
    this.#stop = opened.subscribe(() => this.#follow());
    this.#follow();
    return failed;
  }

  /** The store was closed before the database was open: early actions are stored all the same. */
  store(db: StreamSource, options: StreamOptions): Error | null {
    const failed = this.hasEarly ? this.#storeEarly(this.#open(db, options)) : null;
    this.detach();
    return failed;
  }

  /** Nothing is stored from now on. */
  detach(): void {
    this.#early = null;
    this.#stop?.();
    this.#stop = this.#stream = null;
  }

  replace(root: RootReducer): void {
    this.slices.replace(root);
  }

  #open(db: StreamSource, { stream, realm, version, migrate, inverse }: StreamOptions) {
    const how = {
      reducer: this.slices.reduce,
      initialState: this.#first,
      ...(realm !== undefined && { realm }),
      ...(version !== undefined && { version }),
      ...(migrate && { migrate: (old: Owned, of: number) => migrate(old, of) as Owned }),
      ...(inverse && {
        inverse: (action: Action, before: Owned) => inverse(action, before) as Action,
      }),
    };
    return openClaimed(() => db.stream<Owned, Action>(stream, how), this.slices.names);
  }

  #storeEarly(stream: ReducedStream<Owned, Action>): Error | null {
    let failed: Error | null = null;
    for (const action of this.#early ?? []) {
      try {
        stream.dispatch(action);
      } catch (error) {
        failed ??= error as Error;
      }
    }
    this.#early = null;
    return failed;
  }

  #giveWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (!waiting) return;
    // It may be given within a call of the database, which would report the error to nobody: `dispatch` throws it.
    try {
      waiting.result = this.#give(waiting.transition);
    } catch (error) {
      waiting.failed = { error };
    }
  }

  #give(transition: Transition): unknown {
    const before = this.#applying;
    this.#applying = transition;
    try {
      return this.#store?.dispatch(transition.action);
    } catch (error) {
      this.#applying = before;
      // Was it a subscriber, or another slice's reducer, which has kept the store from following?
      const state = this.#store?.getState() as Owned;
      if (this.slices.of(state, transition.to) !== transition.to) this.#load(transition.to);
      throw error;
    } finally {
      this.#applying = before;
    }
  }

  #load(slices: Owned): void {
    this.#store?.dispatch({ type: loadSnapshot, payload: slices });
  }

  /** Brings the store to where the stream is. */
  #follow(): void {
    this.#giveWaiting();
    const stream = this.#stream;
    if (this.#applying || !stream || (this.#isPreloaded && !stream.whole)) return;
    this.#isPreloaded = false;
    let failed: { readonly error: unknown } | null = null;
    // Listeners of the store may dispatch: so it is looked again after each action.
    for (let next = stream.value; next !== this.#current; next = stream.value) {
      const path = this.#wasWhole ? this.slices.path(this.#current, next) : null;
      const step = path && path.length <= maxSteps ? path[0] : undefined;
      this.#current = step?.to ?? next;
      try {
        if (step) this.#give(step);
        else this.#load(next);
      } catch (error) {
        failed ??= { error };
      }
    }
    if (stream.whole && !this.#wasWhole) {
      this.#wasWhole = true;
      this.#host.becameWhole();
    }
    if (failed) throw failed.error;
  }
}
