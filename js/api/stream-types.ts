/** The types of streams, as the application sees them. */
import type { Delta, Live, Mutation, Stop } from './types.ts';

/** An item of a stream, with what is known about it. */
export interface Entry<A> {
  /** The id of its action. */
  readonly id: string;
  readonly value: A;
  /** The name of its action: the item's `type`, if that is a text. */
  readonly name: string;
  /** When the server logged it; null while it is pending. */
  readonly at: Date | null;
  /** When it was made, by the clock of the device, corrected. */
  readonly madeAt: Date;
  /** Who made it; null while it is pending: this user. */
  readonly author: string | null;
  readonly pending: boolean;
}

export interface DataStreamOptions {
  /** The realm of the stream; by default that of new rows. */
  readonly realm?: string;
  /** How many of the last items are shown, and kept on the device: 1 to 10,000; 1,000 by default. */
  readonly keep?: number;
}

export interface PageOptions<A> {
  /** Items before this one, an item or an entry of this stream; left out: the last ones. */
  readonly before?: A | Entry<A> | undefined;
  /** At most so many: 1 to 1,000; 50 by default. */
  readonly limit?: number;
}

/** A stream of data items. `value`: the last of them, in the order of the log; pending ones are last. */
export interface DataStream<A> extends Live<readonly A[]> {
  readonly name: string;
  readonly realm: string;
  /** The same items with who, when and whether they are pending. */
  readonly entries: readonly Entry<A>[];
  /** Whether the last items that the server had at the last pull are here. Subscribers are called when it changes, too. */
  readonly whole: boolean;
  append(item: A): Mutation<void>;
  /**
   * Confirmed items before one, in order: from the device, else from the server. Fewer than `limit`: the stream begins
   * there, or the server cannot be asked. Rejects with NetworkError if it is needed for the first of them.
   */
  page(options?: PageOptions<A>): Promise<A[]>;
  /** The same, as entries. */
  history(options?: PageOptions<A>): Promise<Entry<A>[]>;
  subscribe(fn: (items: readonly A[], delta?: Delta) => void): Stop;
}

export interface ReducedStreamOptions<S, A> {
  /** The realm of the stream; by default that of new rows. */
  readonly realm?: string;
  /** Pure: the same state and action give the same state, on every device. An action by which it throws is left out. */
  readonly reducer: (state: S, action: A) => S;
  readonly initialState: S;
  /** To be raised when the reducer gives other states: 1 by default. A state of another version is not used. */
  readonly version?: number;
  /** Takes a state of an earlier version over, so that the actions need not be folded again. */
  readonly migrate?: (state: never, version: number) => S;
  /**
   * The action that undoes another one, for `db.undo`. Pure. `before`: the state that this window showed before the action, with its
   * pending ones. Null, undefined, or a throw, which `db.problems` names: this action cannot be undone. Without `inverse` none can.
   */
  readonly inverse?: (action: A, before: S) => A | null | undefined;
}

/** The state that a reducer makes of a stream: confirmed actions first, then pending ones. */
export interface ReducedStream<S, A> extends Live<S> {
  readonly name: string;
  readonly realm: string;
  /** Whether all actions that the server had at the last pull are in the state. Subscribers are called when it changes, too. */
  readonly whole: boolean;
  dispatch(action: A): Mutation<void>;
}
