/** One group of slices with its stream: those in step with others, or those of this device. */
import type { ReducedStream, ReducedStreamOptions } from '../api/stream-types.ts';
import type { Stop } from '../api/types.ts';
import { ValidationError } from '../index.ts';
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

/** The part of a database that a group uses. */
export interface StreamSource {
  stream<S, A>(name: string, options: ReducedStreamOptions<S, A>): ReducedStream<S, A>;
}

export interface StreamOptions {
  readonly stream: string;
  readonly realm?: string | undefined;
  readonly version?: number | undefined;
  readonly migrate?: ((slices: Owned, version: number) => object) | undefined;
}

export class Group {
  readonly takes: (action: Action) => boolean;
  readonly slices: OwnedSlices;
  #store: InnerStore | null = null;
  #stream: ReducedStream<Owned, Action> | null = null;
  /** Actions that were dispatched before the stream was open. */
  #early: Action[] = [];
  /** The stream's first state. */
  #first: Owned;
  /** What the store has. */
  #current: Owned;
  /** The store was created with a state, which stays until the stream is whole. */
  #isPreloaded = false;
  /** What was there before comes as a whole; what happens from then on, action by action. */
  #wasWhole = false;
  /** The action that the store is being given, with what comes out. */
  #applying: Transition | null = null;
  /** The action that is in the stream, and not in the store yet. */
  #waiting: { readonly transition: Transition; result?: unknown } | null = null;
  #stop: Stop | null = null;

  get whole(): boolean {
    return this.#stream?.whole ?? false;
  }

  constructor(takes: (action: Action) => boolean, slices: OwnedSlices, first: Owned) {
    this.takes = takes;
    this.slices = slices;
    this.#first = this.#current = first;
  }

  /** The store exists. */
  begin(store: InnerStore, isPreloaded: boolean): void {
    this.#store = store;
    this.#current = this.slices.of(store.getState(), this.#first);
    this.#isPreloaded = isPreloaded;
    if (!isPreloaded) this.#first = this.#current;
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

  /** An action of this group. It is stored if it can be reduced, and reduced if it can be stored. */
  dispatch(action: Action): unknown {
    if (this.slices.isReducing)
      throw new ValidationError('invalid_argument', 'A reducer may not dispatch actions.');
    this.#giveWaiting();
    const from = this.#current;
    const to = this.slices.reduce(from, action);
    const waiting: { transition: Transition; result?: unknown } = {
      transition: { from, action, to },
    };
    this.#waiting = waiting;
    this.#current = to;
    try {
      // Subscribers of the database are called meanwhile, who may dispatch, too.
      if (this.#stream) this.#stream.dispatch(action);
      else this.#early.push(action);
    } catch (error) {
      this.#waiting = null;
      this.#current = from;
      throw error;
    }
    this.#giveWaiting();
    this.#follow();
    return waiting.result;
  }

  /** Returns the error of an early action that could not be stored, if there is one. */
  attach(db: StreamSource, { stream, realm, version, migrate }: StreamOptions): Error | null {
    const opened = db.stream<Owned, Action>(stream, {
      reducer: this.slices.reduce,
      initialState: this.#first,
      ...(realm !== undefined && { realm }),
      ...(version !== undefined && { version }),
      ...(migrate && { migrate: (old: Owned, of: number) => migrate(old, of) as Owned }),
    });
    let failed: Error | null = null;
    for (let action = this.#early.shift(); action; action = this.#early.shift()) {
      try {
        opened.dispatch(action);
      } catch (error) {
        failed ??= error as Error;
      }
    }
    this.#stream = opened;
    this.#stop = opened.subscribe(() => this.#follow());
    this.#follow();
    return failed;
  }

  detach(): void {
    this.#stop?.();
    this.#stop = this.#stream = null;
  }

  replace(root: RootReducer): void {
    this.slices.replace(root);
  }

  #giveWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting) waiting.result = this.#give(waiting.transition);
  }

  #give(transition: Transition): unknown {
    const before = this.#applying;
    this.#applying = transition;
    try {
      return this.#store?.dispatch(transition.action);
    } finally {
      this.#applying = before;
    }
  }

  /** Brings the store to where the stream is. */
  #follow(): void {
    this.#giveWaiting();
    const stream = this.#stream;
    if (this.#applying || !stream || (this.#isPreloaded && !stream.whole)) return;
    this.#isPreloaded = false;
    // Listeners of the store may dispatch: so it is looked again after each action.
    for (let next = stream.value; next !== this.#current; next = stream.value) {
      const path = this.#wasWhole ? this.slices.path(this.#current, next) : null;
      const step = path && path.length <= maxSteps ? path[0] : undefined;
      this.#current = step?.to ?? next;
      if (step) this.#give(step);
      else this.#store?.dispatch({ type: loadSnapshot, payload: next });
    }
    this.#wasWhole ||= stream.whole;
  }
}
