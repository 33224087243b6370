/** The database of a tree of components: given open, or as the promise of `open`. */
import {
  createContext,
  createElement,
  type ReactElement,
  type ReactNode,
  useContext,
  useMemo,
  useSyncExternalStore,
} from 'react';
import type { AnyDatabase } from '../api/database.ts';
import type { RegisteredDatabase } from './register.ts';

class OpenFailure {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** What is known of a database that is being opened. */
class OpeningDatabase {
  outcome: AnyDatabase | OpenFailure | null = null;
  /** Settles when it is known whether it can be opened; never rejects. */
  readonly settled: Promise<void>;
  readonly #listeners = new Set<() => void>();

  constructor(promise: PromiseLike<AnyDatabase>) {
    this.settled = Promise.resolve(promise).then(
      (database) => this.#end(database),
      (error: unknown) => this.#end(new OpenFailure(error)),
    );
  }

  readonly subscribe = (fn: () => void): (() => void) => {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  };

  #end(outcome: AnyDatabase | OpenFailure): void {
    this.outcome = outcome;
    for (const fn of this.#listeners) fn();
  }
}

const openings = new WeakMap<PromiseLike<unknown>, OpeningDatabase>();

function openingOf(promise: PromiseLike<AnyDatabase>): OpeningDatabase {
  const known = openings.get(promise);
  if (known) return known;
  const opening = new OpeningDatabase(promise);
  openings.set(promise, opening);
  return opening;
}

function isPromise(db: AnyDatabase | PromiseLike<AnyDatabase>): db is PromiseLike<AnyDatabase> {
  return typeof (db as { then?: unknown }).then === 'function';
}

interface Provided {
  readonly database: AnyDatabase | null;
  readonly opening: OpeningDatabase | null;
}

const Context = createContext<Provided | null>(null);
/** The subscription to what never changes. */
export const nothing = () => () => {};

export interface SkerryProviderProps {
  /** Null while a server renders: hooks then return its `serverRows` and `serverValue`. */
  readonly db: AnyDatabase | PromiseLike<AnyDatabase> | null;
  readonly children?: ReactNode;
}

/** Gives the database to all components below. If it cannot be opened, the error goes to the next error boundary. */
export function SkerryProvider({ db, children }: SkerryProviderProps): ReactElement {
  const opening = db !== null && isPromise(db) ? openingOf(db) : null;
  const open = opening === null ? (db as AnyDatabase | null) : null;
  const read = () => opening?.outcome ?? open;
  const outcome = useSyncExternalStore(opening?.subscribe ?? nothing, read, read);
  if (outcome instanceof OpenFailure) throw outcome.error;
  // A new object for each change only: otherwise all components below would render with the provider.
  const provided = useMemo(() => ({ database: outcome, opening }), [outcome, opening]);
  return createElement(Context.Provider, { value: provided }, children);
}

function useProvided(): Provided {
  const provided = useContext(Context);
  if (!provided) throw new Error('There is no <SkerryProvider> above this component.');
  return provided;
}

/** Whether the provider was given no database, as on a server. */
export function useIsServer(): boolean {
  const { database, opening } = useProvided();
  return !database && !opening;
}

/** The database; null while it is being opened, and on a server. `suspense`: the component waits instead. */
export function useOpened(suspense: boolean): AnyDatabase | null {
  const { database, opening } = useProvided();
  if (!database && suspense) {
    if (!opening)
      throw new Error('A server has no database: use hooks that take its rows or values.');
    throw opening.settled;
  }
  return database;
}

/** The database. While it is being opened, the component is suspended. */
export function useDatabase<Db = RegisteredDatabase>(): Db {
  return useOpened(true) as unknown as Db;
}
