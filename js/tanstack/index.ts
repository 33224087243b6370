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
import type { Live, Mutation } from '../api/types.ts';
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
/** A row; what Skerry sets may be left out of one that is inserted. */
export type CollectionRow<R> = { -readonly [P in Exclude<keyof R, Given>]: R[P] } & {
  readonly [P in Extract<keyof R, Given>]?: R[P];
};

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

const ofSkerry: ReadonlySet<string> = new Set(['id', 'realm', 'createdAt', 'modifiedAt']);

/** What was removed from a row is null in a patch. */
function patchOf(changes: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(changes).filter(([name]) => !ofSkerry.has(name));
  return Object.fromEntries(entries.map(([name, value]) => [name, value ?? null]));
}

function newRow({ createdAt: _, modifiedAt: __, ...row }: Record<string, unknown>): object {
  return row;
}

// biome-ignore lint/suspicious/noExplicitAny: of any collection
type AnyMutation = PendingMutation<any, any, any>;

function write(table: Writing, mutation: AnyMutation): void {
  const { type, key, modified, changes } = mutation;
  if (type === 'insert') table.create(newRow(modified));
  else if (type === 'delete') table.delete(String(key));
  else {
    table.update(String(key), patchOf(changes));
    if (changes.realm !== undefined) table.move(String(key), changes.realm);
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

/** Keeps a collection in step with a live query, by rows that are other objects than before. */
function syncOf<R extends AnyRow>(live: () => Live<readonly R[]>): SyncConfig<R, string>['sync'] {
  return ({ begin, write: tell, commit, markReady }) => {
    let known = new Map<string, R>();
    const follow = (rows: readonly R[]) => {
      const now = new Map(rows.map((row) => [row.id, row]));
      const messages: ChangeMessageOrDeleteKeyMessage<R, string>[] = [];
      for (const [id, row] of now) {
        const before = known.get(id);
        if (before !== row) messages.push({ type: before ? 'update' : 'insert', value: row });
      }
      for (const id of known.keys()) if (!now.has(id)) messages.push({ type: 'delete', key: id });
      known = now;
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
}: SkerryCollectionOptions<D, K>): CollectionConfig<CollectionRow<RowOf<D, K>>, string> & {
  readonly id: string;
} {
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
  } as unknown as CollectionConfig<CollectionRow<RowOf<D, K>>, string> & { readonly id: string };
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
