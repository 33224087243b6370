/**
 * `skerry/tanstack`: collections of TanStack DB over Skerry's tables. Their live queries read what Skerry has, their optimistic writes are
 * Skerry's transactions. Importing it does nothing.
 */
import type {
  ChangeMessageOrDeleteKeyMessage,
  CollectionConfig,
  MutationFnParams,
  PendingMutation,
  SyncConfig,
} from '@tanstack/db';
import type { Delta, Live, Mutation } from '../api/types.ts';
import { ValidationError } from '../index.ts';

/** A database of any schema. */
export interface SkerryDatabase {
  // biome-ignore lint/suspicious/noExplicitAny: of any tables
  transact(fn: (tx: any) => void): Mutation<unknown>;
}

/** The names of its tables. */
export type TableOf<D> = {
  [K in keyof D]: D[K] extends {
    all(): readonly { readonly id: string }[];
    get(id: string): unknown;
  }
    ? K
    : never;
}[keyof D] &
  string;

type RowOf<D, K extends keyof D> = D[K] extends { all(): readonly (infer R)[] } ? R : never;
type Given = 'realm' | 'createdAt' | 'modifiedAt';
/** A row; it has not what Skerry sets until Skerry has it. */
export type CollectionRow<R> = { -readonly [P in Exclude<keyof R, Given>]: R[P] } & {
  readonly [P in Extract<keyof R, Given>]?: R[P];
};
type WritersOf<D> = D extends { transact(fn: (tx: infer W) => unknown): unknown } ? W : never;
type Created<W, K> = K extends keyof W
  ? W[K] extends { create(row: infer N): string }
    ? N
    : never
  : never;
/** What is inserted: optional props, and those with a default, may be left out, as in `tx.todos.create`. */
export type CollectionInput<D, K> = Omit<Created<WritersOf<D>, K>, 'id'> & { id: string };

/** The types of a collection, as a Standard Schema. It checks nothing: Skerry does, when the row is written. */
interface CollectionSchema<D, K extends TableOf<D>> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    validate(value: unknown): { readonly value: CollectionRow<RowOf<D, K>> };
    readonly types?: {
      readonly input: CollectionInput<D, K>;
      readonly output: CollectionRow<RowOf<D, K>>;
    };
  };
}
type Options<D, K extends TableOf<D>> = CollectionConfig<
  CollectionRow<RowOf<D, K>>,
  string,
  CollectionSchema<D, K>
> & { readonly id: string; readonly schema: CollectionSchema<D, K> };

const anyRow = {
  '~standard': { version: 1, vendor: 'skerry', validate: (value: unknown) => ({ value }) },
} as const;

export interface SkerryCollectionOptions<D, K extends TableOf<D>> {
  readonly db: D;
  readonly table: K;
  /** Which rows: all of the table that are on the device by default. */
  readonly query?: (table: D[K]) => { live(): Live<readonly RowOf<D, K>[]> };
  /** Of the collection; by default the name of the table. */
  readonly id?: string;
}

interface AnyRow {
  readonly id: string;
}
interface Writing {
  create(row: object): string;
  update(id: string, patch: object): boolean;
  move(id: string, realm: string): boolean;
  delete(id: string): boolean;
}

/** Which collections of which tables are Skerry's; for transactions over several of them. */
const tables = new WeakMap<object, { readonly db: SkerryDatabase; readonly table: string }>();

const setBySkerry: ReadonlySet<string> = new Set(['createdAt', 'modifiedAt']);

/**
 * The props that are written of a row, or of changes of one. A row that was read of a collection has also what TanStack knows of it, under
 * names that begin with `$`, as no prop does.
 */
function written(row: Readonly<Record<string, unknown>>): [string, unknown][] {
  return Object.entries(row).filter(([name]) => !setBySkerry.has(name) && !name.startsWith('$'));
}

/** What was removed from a row is null in a patch. */
function patchOf(changes: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = written(changes).filter(([name]) => name !== 'id' && name !== 'realm');
  return Object.fromEntries(entries.map(([name, value]) => [name, value ?? null]));
}

// biome-ignore lint/suspicious/noExplicitAny: of any collection
type AnyMutation = PendingMutation<any, any, any>;

function write(table: Writing, mutation: AnyMutation): void {
  const { type, key, original, modified, changes } = mutation;
  if (type === 'insert') table.create(Object.fromEntries(written(modified)));
  else if (type === 'delete') table.delete(String(key));
  else {
    table.update(String(key), patchOf(changes));
    const { realm } = changes;
    if (realm !== undefined && realm !== original.realm) table.move(String(key), realm);
  }
}

/** All mutations in one transaction of Skerry. Resolves once it is stored: then TanStack's own optimistic state goes. */
async function writeAll(
  db: SkerryDatabase,
  mutations: readonly AnyMutation[],
  nameOf: (mutation: AnyMutation) => string,
): Promise<void> {
  await db.transact((tx) => {
    for (const mutation of mutations) write(tx[nameOf(mutation)], mutation);
  }).durable;
}

/** What has changed since `known`, which is brought up to date: rows that are other objects than before. */
function messagesOf<R extends AnyRow>(
  known: Map<string, R>,
  rows: readonly R[],
  delta: Delta | undefined,
): ChangeMessageOrDeleteKeyMessage<R, string>[] {
  const touched = delta && new Set([...delta.added, ...delta.changed, ...delta.removed]);
  const of = touched ? rows.filter(({ id }) => touched.has(id)) : rows;
  const found = new Map(of.map((row) => [row.id, row]));
  const messages: ChangeMessageOrDeleteKeyMessage<R, string>[] = [];
  for (const [id, row] of found) {
    const before = known.get(id);
    if (before === row) continue;
    messages.push({ type: before ? 'update' : 'insert', value: row });
    known.set(id, row);
  }
  for (const id of touched ?? known.keys())
    if (!found.has(id) && known.delete(id)) messages.push({ type: 'delete', key: id });
  return messages;
}

/** Keeps a collection in step with a live query. */
function syncOf<R extends AnyRow>(live: () => Live<readonly R[]>): SyncConfig<R, string>['sync'] {
  return ({ begin, write: tell, commit, markReady }) => {
    const known = new Map<string, R>();
    const follow = (rows: readonly R[], delta?: Delta) => {
      const messages = messagesOf(known, rows, delta);
      if (messages.length === 0) return;
      begin();
      for (const message of messages) tell(message);
      commit();
    };
    const value = live();
    follow(value.value);
    markReady();
    return value.subscribe(follow);
  };
}

/**
 * The options of a collection over a table, for `createCollection`. A new row needs an `id`: `crypto.randomUUID()`, or the application's own
 * where the table has such ids.
 */
export function skerryCollectionOptions<D extends object, K extends TableOf<D>>({
  db,
  table,
  query,
  id = table,
}: SkerryCollectionOptions<D, K>): Options<D, K> {
  type R = CollectionRow<RowOf<D, K>> & AnyRow;
  const reader = db[table] as { live?: () => Live<readonly R[]> } | undefined;
  if (typeof reader?.live !== 'function')
    throw new ValidationError('invalid_argument', `The database has no table ${String(table)}.`);
  const live = () =>
    (query ? query(db[table]).live() : reader.live?.()) as unknown as Live<readonly R[]>;
  const of = { db: db as unknown as SkerryDatabase, table };
  const persist = ({ transaction }: MutationFnParams<R>) =>
    writeAll(of.db, transaction.mutations, () => table);
  const sync = syncOf<R>(live);
  return {
    id,
    schema: anyRow,
    getKey: (row: R) => row.id,
    sync: {
      sync: (params: Parameters<typeof sync>[0]) => {
        tables.set(params.collection, of);
        return sync(params);
      },
      rowUpdateMode: 'full',
    },
    onInsert: persist,
    onUpdate: persist,
    onDelete: persist,
  } as unknown as Options<D, K>;
}

/**
 * The `mutationFn` of a transaction over several collections of one database (`createTransaction`): they become one transaction of Skerry,
 * which is stored, pushed and undone as a whole.
 */
export function skerryMutationFn(
  db: SkerryDatabase,
): (params: {
  readonly transaction: { readonly mutations: readonly AnyMutation[] };
}) => Promise<void> {
  return ({ transaction: { mutations } }) =>
    writeAll(db, mutations, ({ collection }) => {
      const of = tables.get(collection);
      if (of?.db === db) return of.table;
      throw new ValidationError(
        'invalid_argument',
        `The collection ${collection.id} is none of this database.`,
      );
    });
}
