/** `db.conflicts`: the inbox of rejected changes, each with the wanted row, the row on the server, and the reason. */

import { isPlainObject } from '../core/brand.ts';
import type {
  ConflictsEffect,
  ResolvedEffect,
  ResolveEvent,
  ShownChange,
  ShownConflict,
} from '../core/core-types.ts';
import { ClosedError, errorFromCode, type SkerryError, ValidationError } from '../core/errors.ts';
import { keepDate } from '../core/mutable-copy.ts';
import type { SchemaCodec } from '../core/values.ts';
import { Listeners } from './listeners.ts';
import { makeStop } from './stop.ts';
import type { Stop } from './types.ts';
import { type UserAction, userAction } from './user-action.ts';

/** The three sides of an object: what a change was made from, what it wanted, and what the log has. Null: no such object. */
export interface ConflictSides {
  /** As this window showed it before the change; null, too, if that is not known. It may have the changed props only. */
  readonly base: Readonly<Record<string, unknown>> | null;
  /** The props that the change set, with the sum of what it added; null: it deleted the object. */
  readonly mine: Readonly<Record<string, unknown>> | null;
  /** As the server has it at this device's last pull, in what the user may read now. */
  readonly theirs: Readonly<Record<string, unknown>> | null;
}

/** One object of a change that was refused. */
export interface ConflictChange extends ConflictSides {
  readonly table: string;
  /** The id of the object. */
  readonly key: string;
  readonly realm: string;
}

/**
 * A change of the user's that did not take effect, or not all of it. The three sides are those of the object that it is about.
 * Of a `dropped` one, `mine` has what was left out, also if the schema has no such table or prop.
 */
export interface Conflict extends ConflictSides {
  readonly id: number;
  readonly table: string;
  /** The id of the object. */
  readonly key: string;
  /**
   * `dropped`: the release in use, here or at the server, has no place for it. `row_deleted`: the row was not there any more.
   * `overwritten`: it was applied, and somebody who had not seen it has changed the same props since, or deleted the row.
   */
  readonly reason: 'rejected' | 'revoked' | 'stale' | 'overwritten' | 'row_deleted' | 'dropped';
  readonly code: string;
  readonly detail: string;
  /** When it came into the inbox. */
  readonly at: Date;
  /** The action as it was made: its name, argument and time; null if that cannot be read. */
  readonly mutation: UserAction | null;
  /** The objects of the change, this one first: at most a hundred, and how many others there are. */
  readonly changes: readonly ConflictChange[];
  readonly others: number;
  /** The action because of which this is here, if it was not refused for itself: it is retried with that one. */
  readonly dependsOn: string | null;
}

/**
 * What becomes of an entry. `discard`: the change is dropped. `retry`: it is made again. `amend`: what the function does is made
 * in its place. `take`: it is made again without the props whose side is `theirs`.
 */
export type Settlement<Tx> =
  | 'discard'
  | 'retry'
  | { amend(tx: Tx): void }
  | { readonly take: Readonly<Record<string, 'mine' | 'theirs'>> };

export interface Conflicts<Tx = never> {
  /** The same array until it changes. */
  all(): readonly Conflict[];
  /** First call a microtask later, then after each change. */
  subscribe(fn: (conflicts: readonly Conflict[]) => void): Stop;
  /**
   * Settles an entry, once. Rejects with `not_found` if it is not there any more; with `not_changed` if an amendment changes
   * nothing, or `take` names a prop that the change does not have; and with `no_place`, `unreadable`, `unique` or `read_only`
   * if the change cannot be made again here. It then stays as it is. A throw of `amend` rejects, too.
   */
  resolve(id: number, how: Settlement<Tx>): Promise<void>;
}

interface Settling {
  dispatch(event: ResolveEvent): void;
  /** Throws what `body` throws, and if that changes nothing. */
  amend(id: number, body: (tx: never) => unknown): void;
}

export class ConflictInbox implements Conflicts {
  readonly #codec: SchemaCodec;
  readonly #settling: Settling;
  readonly #listeners = new Listeners<readonly Conflict[]>();
  readonly #waiting = new Map<number, { resolve(): void; reject(error: SkerryError): void }[]>();
  #list: readonly Conflict[] = Object.freeze([]);
  #closed = false;

  constructor(codec: SchemaCodec, settling: Settling) {
    this.#codec = codec;
    this.#settling = settling;
  }

  all(): readonly Conflict[] {
    return this.#list;
  }

  subscribe(fn: (conflicts: readonly Conflict[]) => void): Stop {
    let stop = () => {};
    let stopped = false;
    queueMicrotask(() => {
      if (stopped) return;
      stop = this.#listeners.add(fn);
      fn(this.#list);
    });
    return makeStop(() => {
      stopped = true;
      stop();
    });
  }

  resolve(id: number, how: Settlement<never>): Promise<void> {
    if (this.#closed) return Promise.reject(new ClosedError('closed', 'The database is closed.'));
    // The core would answer of another one.
    if (!Number.isSafeInteger(id) || id < 1)
      return Promise.reject(errorFromCode('not_found', `${String(id)} is no entry of the inbox.`));
    return new Promise((resolve, reject) => {
      this.#settle(id, how); // A throw rejects.
      const waiting = this.#waiting.get(id) ?? [];
      waiting.push({ resolve, reject });
      this.#waiting.set(id, waiting);
    });
  }

  #settle(id: number, how: Settlement<never>): void {
    const { dispatch, amend } = this.#settling;
    if (how === 'discard' || how === 'retry') {
      dispatch({ type: 'resolve', id, how });
      return;
    }
    const { amend: body, take } = (how ?? {}) as {
      amend?: (tx: never) => unknown;
      take?: Readonly<Record<string, unknown>>;
    };
    if (typeof body === 'function') {
      amend(id, body);
      return;
    }
    const sides = take && isPlainObject(take) ? Object.entries(take) : [];
    if (sides.length === 0 || sides.some(([, side]) => side !== 'mine' && side !== 'theirs'))
      throw new ValidationError(
        'invalid_argument',
        'An entry is settled by "discard", "retry", { amend(tx) } or { take: { prop: "mine" or "theirs" } }.',
      );
    const known = this.#list.find((entry) => entry.id === id);
    const unknown = sides.find(([prop]) => known?.mine && !(prop in known.mine));
    if (unknown)
      throw new ValidationError(
        'not_changed',
        `${known?.table} ${known?.key}: the change has no prop ${unknown[0]}.`,
      );
    const theirs = sides.filter(([, side]) => side === 'theirs').map(([prop]) => prop);
    dispatch({ type: 'resolve', id, how: 'take', theirs });
  }

  /** The effect `conflicts`. */
  replace({ items }: ConflictsEffect): void {
    this.#list = Object.freeze(items.map((entry) => this.#entry(entry)));
    this.#listeners.notify(this.#list);
  }

  /** The effect `resolved`. */
  resolved({ id, error }: ResolvedEffect): void {
    // Each call gets an answer of its own, in order: the first may discard what the second would retry.
    const [first, ...others] = this.#waiting.get(id) ?? [];
    if (others.length > 0) this.#waiting.set(id, others);
    else this.#waiting.delete(id);
    if (error) first?.reject(errorFromCode(error.code, error.detail));
    else first?.resolve();
  }

  close(): void {
    this.#closed = true;
    for (const { reject } of [...this.#waiting.values()].flat())
      reject(new ClosedError('closed', 'The database was closed.'));
    this.#waiting.clear();
  }

  /** What cannot be read hides no other entry, and can be discarded. */
  #entry(entry: ShownConflict): Conflict {
    const { key: id, table, reason, code, detail, dependsOn } = entry;
    const changes = Object.freeze(entry.changes.map((change) => this.#change(change, reason)));
    const about = changes.find((one) => one.table === table && one.key === entry.id);
    const conflict = {
      ...{ id, table: table ?? '', key: entry.id ?? '', reason, code, detail },
      mutation: userAction(this.#codec, entry.mutation),
      base: about?.base ?? null,
      mine: about?.mine ?? null,
      theirs: about?.theirs ?? null,
      ...{ changes, others: entry.others, dependsOn },
    } as Conflict;
    keepDate(conflict, 'at', entry.at);
    return Object.freeze(conflict);
  }

  #change({ table, id, realm, base, mine, theirs }: ShownChange, reason: string): ConflictChange {
    const codec = this.#codec.schema.byName.has(table) ? this.#codec.table(table) : null;
    const row = (plain: unknown) =>
      codec ? codec.rowFromPlain(plain) : this.#codec.unknownRow(plain);
    return Object.freeze({
      ...{ table, key: id, realm },
      ...{ base: row(base), theirs: row(theirs) },
      // What this version of the schema lacks has no types here, but those of its values.
      mine: reason === 'dropped' ? this.#codec.unknownRow(mine) : row(mine),
    });
  }
}
