/**
 * The slices of a root state that one stream makes. Each state of them is an object of its own, so a state is recognised
 * by its identity: where the stream comes to the state that the store has, nothing is to be done; where it goes on
 * from there by single actions, those are dispatched; and where it comes from elsewhere, the store takes it as a whole.
 */

export type Action = { readonly type: string } & Readonly<Record<string, unknown>>;
export type Owned = Readonly<Record<string, unknown>>;
// biome-ignore lint/suspicious/noExplicitAny: the root state is the application's
export type RootReducer = (state: any, action: any) => any;

/** One action, from a state to another. */
export interface Transition {
  readonly from: Owned;
  readonly action: Action;
  readonly to: Owned;
}

/** So many of the last transitions are remembered; states further apart are taken as a whole. */
const maxTransitions = 500;

export class OwnedSlices {
  readonly #names: readonly string[];
  #root: RootReducer;
  readonly #recent: Transition[] = [];
  #isReducing = false;

  constructor(names: readonly string[], root: RootReducer) {
    this.#names = names;
    this.#root = root;
  }

  get isReducing(): boolean {
    return this.#isReducing;
  }

  /** `replaceReducer`: from now on. */
  replace(root: RootReducer): void {
    this.#root = root;
    this.#recent.length = 0;
  }

  /** The slices of a root state; `known` itself, if they are its. */
  of(state: Owned, known?: Owned): Owned {
    if (known && this.#names.every((name) => Object.is(state[name], known[name]))) return known;
    return Object.freeze(Object.fromEntries(this.#names.map((name) => [name, state[name]])));
  }

  /**
   * The reducer of the stream. The root reducer is given these slices alone: they may depend on each other, and on no
   * other. Throws what the root reducer throws.
   */
  reduce = (from: Owned, action: Action): Owned => {
    const known = this.#find(from, action);
    if (known) return known.to;
    let state: Owned;
    this.#isReducing = true;
    try {
      state = this.#root(from, action);
    } finally {
      this.#isReducing = false;
    }
    const to = this.of(state, from);
    this.#recent.push({ from, action, to });
    if (this.#recent.length > maxTransitions) this.#recent.shift();
    return to;
  };

  /** An action comes again as a copy, once it was stored and confirmed. */
  #find(from: Owned, action: Action): Transition | undefined {
    return this.#recent.findLast(
      (one) =>
        one.from === from &&
        (one.action === action || JSON.stringify(one.action) === JSON.stringify(action)),
    );
  }

  /** The actions that lead from one state to another; null: none are known that do. */
  path(from: Owned, to: Owned): Transition[] | null {
    const path: Transition[] = [];
    let at = to;
    for (let i = this.#recent.length - 1; i >= 0 && at !== from; i--) {
      const one = this.#recent[i] as Transition;
      if (one.to !== at || one.from === at) continue;
      path.unshift(one);
      at = one.from;
    }
    return at === from ? path : null;
  }
}
