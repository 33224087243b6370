/** `db.conflicts`: the inbox of rejected changes, each with the wanted row, the row on the server, and the reason. */

import type { ConflictsEffect, ResolvedEffect, ResolveEvent } from '../core/core-types.ts';
import { ClosedError, errorFromCode, type SkerryError } from '../core/errors.ts';
import { keepDate } from '../core/mutable-copy.ts';
import type { SchemaCodec } from '../core/values.ts';
import { Listeners } from './listeners.ts';
import { makeStop } from './stop.ts';
import type { Stop } from './types.ts';

export interface Conflict {
  readonly id: number;
  readonly table: string;
  /** The id of the object. */
  readonly key: string;
  /** `dropped`: the release in use, here or at the server, has no place for it. `row_deleted`: the row was not there any more. */
  readonly reason: 'rejected' | 'revoked' | 'stale' | 'overwritten' | 'row_deleted' | 'dropped';
  readonly code: string;
  readonly detail: string;
  readonly at: Date;
  readonly mutation: { readonly id: string; readonly name: string } | null;
  /**
   * The object's props before, as wanted here, and as they are on the server; null: no such object. Of a `dropped` one,
   * `mine` has what was left out, also if the schema has no such table or prop.
   */
  readonly base: Readonly<Record<string, unknown>> | null;
  readonly mine: Readonly<Record<string, unknown>> | null;
  readonly theirs: Readonly<Record<string, unknown>> | null;
}

export interface Conflicts {
  /** The same array until it changes. */
  all(): readonly Conflict[];
  /** First call a microtask later, then after each change. */
  subscribe(fn: (conflicts: readonly Conflict[]) => void): Stop;
  /**
   * `discard` drops the change, `retry` makes it again. Rejects with `not_found` if the entry is not there any more, and
   * with `no_place`, `unreadable` or `read_only` if it cannot be made again here; it then stays as it is.
   */
  resolve(id: number, how: 'discard' | 'retry'): Promise<void>;
}

interface StoredConflict {
  /** Null: what it is about cannot be read. */
  readonly table: string | null;
  readonly id: string | null;
  readonly reason: Conflict['reason'];
  readonly code: string;
  readonly detail: string | null;
  readonly at: number;
  readonly mutation: { readonly id: string; readonly name: string } | null;
  readonly base: unknown;
  readonly mine: unknown;
  readonly theirs: unknown;
}

const unreadable = {
  table: '',
  key: '',
  reason: 'rejected',
  code: 'unreadable',
  mutation: null,
  base: null,
  mine: null,
  theirs: null,
} as const;

export class ConflictInbox implements Conflicts {
  readonly #codec: SchemaCodec;
  readonly #dispatch: (event: ResolveEvent) => void;
  readonly #listeners = new Listeners<readonly Conflict[]>();
  readonly #waiting = new Map<number, { resolve(): void; reject(error: SkerryError): void }[]>();
  #list: readonly Conflict[] = Object.freeze([]);
  #closed = false;

  constructor(codec: SchemaCodec, dispatch: (event: ResolveEvent) => void) {
    this.#codec = codec;
    this.#dispatch = dispatch;
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

  resolve(id: number, how: 'discard' | 'retry'): Promise<void> {
    if (this.#closed) return Promise.reject(new ClosedError('closed', 'The database is closed.'));
    // The core would answer of another one.
    if (!Number.isSafeInteger(id) || id < 1)
      return Promise.reject(errorFromCode('not_found', `${String(id)} is no entry of the inbox.`));
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(id) ?? [];
      waiting.push({ resolve, reject });
      this.#waiting.set(id, waiting);
      this.#dispatch({ type: 'resolve', id, how });
    });
  }

  /** The effect `conflicts`. */
  replace({ items }: ConflictsEffect): void {
    this.#list = Object.freeze(items.map(({ key, value }) => this.#entry(key, value)));
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

  /** An entry that cannot be read is shown as unreadable, and can be discarded. It hides no other. */
  #entry(id: number, stored: unknown): Conflict {
    try {
      return this.#conflict(id, stored as StoredConflict);
    } catch (error) {
      const detail = `This entry of the inbox is damaged: ${(error as Error).message}`;
      return Object.freeze({ ...unreadable, id, detail, at: new Date(0) });
    }
  }

  #conflict(id: number, stored: StoredConflict): Conflict {
    const { table, reason, code, mutation } = stored;
    // What this version of the schema lacks has no types here, but those of its values.
    const isKnown = reason !== 'dropped' && this.#codec.schema.byName.has(table ?? '');
    const codec = isKnown ? this.#codec.table(table as string) : null;
    const row = (plain: unknown) =>
      codec ? codec.rowFromPlain(plain) : this.#codec.unknownRow(plain);
    const conflict = {
      id,
      table: table ?? '',
      key: stored.id ?? '',
      reason,
      code,
      detail: stored.detail ?? '',
      mutation: mutation && Object.freeze({ id: mutation.id, name: mutation.name }),
      base: row(stored.base),
      mine: row(stored.mine),
      theirs: row(stored.theirs),
    } as Conflict;
    keepDate(conflict, 'at', stored.at);
    return Object.freeze(conflict);
  }
}
