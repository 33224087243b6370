/**
 * The slices of a root state that one stream makes. Each state of them is an object of its own, so a state is recognised
 * by its identity: where the stream comes to the state that the store has, nothing is to be done; where it goes on
 * from there by single actions, those are dispatched; and where it comes from elsewhere, the store takes it as a whole.
 */
import { ValidationError } from '../index.ts';

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

/** Deeper ones are taken for different. */
const maxDepth = 64;

/** A type that no reducer knows: they give their initial states. */
const firstAction: Action = { type: 'skerry/first' };

export class OwnedSlices {
  /** Of a store without a state of its own. */
  readonly first: Owned;
  readonly names: readonly string[];
  #root: RootReducer;
  readonly #recent: Transition[] = [];
  #isReducing = false;

  /** Throws ValidationError if the root reducer has not all of these slices. */
  constructor(names: readonly string[], root: RootReducer) {
    this.names = names;
    this.#root = root;
    this.first = this.of(this.#checked(root));
  }

  get isReducing(): boolean {
    return this.#isReducing;
  }

  /** `replaceReducer`: from now on. Throws as the constructor does, and keeps the former one then. */
  replace(root: RootReducer): void {
    this.#checked(root);
    this.#root = root;
    this.#recent.length = 0;
  }

  /** Whether a state has one of these slices. */
  isIn(state: unknown): boolean {
    return this.names.some((name) => Object.hasOwn(Object(state), name));
  }

  /** A slice that comes later would lack all actions of before: what is stored would be made without it. */
  #checked(root: RootReducer): Owned {
    const first: unknown = root(undefined, firstAction);
    const missing = this.names.find((name) => !Object.hasOwn(Object(first), name));
    if (missing === undefined) return first as Owned;
    throw new ValidationError(
      'invalid_argument',
      `The root reducer has no slice ${missing}: it must have all that are synced or persisted, from the beginning.`,
    );
  }

  /** The slices of a root state; `known` itself, if they are its. */
  of(state: Owned, known?: Owned): Owned {
    if (known && this.names.every((name) => Object.is(state[name], known[name]))) return known;
    return Object.freeze(Object.fromEntries(this.names.map((name) => [name, state[name]])));
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
    if (to === from) return to;
    this.#recent.push({ from, action, to });
    if (this.#recent.length > maxTransitions) this.#recent.shift();
    return to;
  };

  /** An action comes again as a copy, once it was stored and confirmed. */
  #find(from: Owned, action: Action): Transition | undefined {
    return this.#recent.findLast((one) => one.from === from && isSame(one.action, action));
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

/**
 * Whether a value is a copy of another one, as what is stored and read again. In doubt it is not: objects of classes may have parts that
 * cannot be seen from outside.
 */
function isSame(a: unknown, b: unknown, depth = 0): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b || depth > maxDepth) return false;
  // By what they are, as in js/core/brand.ts: an action may hold values of a frame, and the copy has this window's.
  const kind = kindOf(a);
  if (kind === '[object Date]') return kindOf(b) === kind && Number(a) === Number(b);
  if (kind === '[object Uint8Array]') return kindOf(b) === kind && sameBytes(a, b);
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, i) => isSame(item ?? null, b[i] ?? null, depth + 1));
  }
  if (!isPlain(a) || !isPlain(b)) return false;
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => isSame(a[name], b[name], depth + 1));
}

function kindOf(value: object): string {
  return Object.prototype.toString.call(value);
}

function sameBytes(a: object, b: object): boolean {
  const [left, right] = [a as Uint8Array, b as Uint8Array];
  return left.length === right.length && left.every((byte, i) => byte === right[i]);
}

/** Of any realm: the prototype of a literal has none itself. */
function isPlain(value: object): value is Record<string, unknown> {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
