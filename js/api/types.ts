/// <reference lib="esnext.disposable" preserve="true" />
// Without it, a project whose `lib` ends before would have `any` for a database: its Disposable members would not be known.

/**
 * The types that are inferred from a schema: rows, new rows, patches, queries, transactions. Declarations only; what must
 * and must not compile is in test/types/.
 */
import type { OnDelete } from '../core/prop-def.ts';
import type { Info } from '../core/special-json.ts';

declare const meta: unique symbol;

export type Id = string;
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
/** Bytes that nothing else shares; in the types of TypeScript before 5.7 just `Uint8Array`. */
export type Bytes = ReturnType<Uint8ArrayConstructor['from']>;
export type Stop = (() => void) & Disposable;

/** The changes of one transaction to a live query's result. */
export interface Delta {
  readonly added: readonly Id[];
  readonly removed: readonly Id[];
  readonly changed: readonly Id[];
  readonly moved: readonly Id[];
}

/** `value` is the same object until it changes. */
export interface Live<V> {
  readonly value: V;
  /** The first call comes a microtask later, then there is one after each transaction that changed the value. */
  subscribe(fn: (value: V, delta?: Delta) => void): Stop;
}

/** `In` holds undefined where the prop may be left out of a new row. */
export interface Prop<Out, In = Out, Ref extends string = never> {
  readonly [meta]: [Out, In, Ref];
  /** Absent is null, everywhere; a row never holds undefined. */
  optional(): Prop<Out | null, In | null | undefined, Ref>;
  default(value: Out): Prop<Out, In | undefined, Ref>;
  index(options?: { unique?: boolean }): this;
}

export interface ClassOptions<T> {
  version?: number;
  to(value: T): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: stored json of an older version has no type here.
  from(json: any, version: number): T;
  info?(value: T): string;
  /** The constructor, so that instances inside of json props and arguments are recognised as well. */
  class?: abstract new (
    ...args: never[]
  ) => T;
}

export interface RefOptions {
  onDelete?: OnDelete;
  touch?: boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: a bound for inference; nothing is read through it.
export type AnyProp = Prop<any, any, any>;
export type Props = Record<string, AnyProp>;

export interface TableOptions<P extends Props = Props> {
  id?: Prop<string>;
  /** All rows that a user may read come to each of the user's devices, whatever `scopes` says. */
  autosubscribe?: boolean;
  /**
   * A rule about a row: a sentence says what is wrong, nothing or undefined that all is well. It is asked when the row has changed,
   * here or elsewhere, and again while it is wrong. It only reads. `db.problems` lists what it says, and what changes a wrong row is
   * not pushed.
   */
  // biome-ignore lint/suspicious: the schema is not known here (a rule of the schema has typed readers); a rule may return nothing.
  validate?(row: RowOf<P>, reader: any): string | null | undefined | void;
}
/** The rows of each table, to read. */
export type ReadersOf<T extends Tables> = { readonly [K in keyof T]: Reader<T, K> };
/** A row that has changed, or is gone. `realm`: of a table with ids of its own. */
export interface ChangedRow<T> {
  readonly table: keyof T & string;
  readonly id: string;
  readonly realm?: string;
}
/** What a rule of the schema finds wrong with a row. */
export interface FoundProblem<T> extends ChangedRow<T> {
  readonly message: string;
}
type RowOf<P> = Base & { readonly [K in keyof P]: OutOf<P[K]> };
export interface Table<P extends Props = Props, O = unknown> {
  readonly [meta]: [P, O];
}
// biome-ignore lint/suspicious/noExplicitAny: a bound for inference; nothing is read through it.
export type Tables = Record<string, Table<any, any>>;
export interface Schema<T extends Tables = Tables> {
  readonly [meta]: T;
  readonly version: number;
  /** The description that core and server get (docs/internals.md, section 2). */
  toJSON(): unknown;
  /**
   * What people are shown of a value, as JSON: an enum instance is its name, an object of a class what its `info` says, a date its ISO
   * text. For logs of actions and inspectors.
   */
  toInfo(value: unknown): Info;
}

type PropsOf<T, K extends keyof T> = T[K] extends Table<infer P, infer _O> ? P : never;
type OutOf<X> = X extends Prop<infer A, infer _B, infer _C> ? A : never;
type InOf<X> = X extends Prop<infer _A, infer B, infer _C> ? B : never;
type RefOf<X> = X extends Prop<infer _A, infer _B, infer R> ? R : never;

/** Names that would hide a member of Database, one that it has or is to have (docs/design.md, "Not built yet"), or one of every object. */
export type ReservedTableName =
  | 'name'
  | 'user'
  | 'mutate'
  | 'transact'
  | 'replay'
  | 'sync'
  | 'conflicts'
  | 'problems'
  | 'realms'
  | 'stream'
  | 'lock'
  | 'undo'
  | 'redo'
  | 'canUndo'
  | 'canRedo'
  | 'on'
  | 'export'
  | 'import'
  | 'logout'
  | 'close'
  | 'then'
  | 'constructor'
  | 'toString'
  | '__proto__';
/** Every row has these. */
export type ReservedPropName = 'id' | 'realm' | 'createdAt' | 'modifiedAt' | '__proto__';

/** Turns a table with a reserved name, a reserved prop or a ref to no table into never, which nothing fits. */
export type CheckTables<T> = {
  [K in keyof T]: K extends ReservedTableName
    ? never
    : Extract<keyof PropsOf<T, K>, ReservedPropName> extends never
      ? Exclude<
          { [P in keyof PropsOf<T, K>]: RefOf<PropsOf<T, K>[P]> }[keyof PropsOf<T, K>],
          keyof T
        > extends never
        ? T[K]
        : never
      : never;
};

export type Base = {
  readonly id: string;
  readonly realm: string;
  readonly createdAt: Date;
  readonly modifiedAt: Date;
};
export type Row<S, K> =
  S extends Schema<infer T>
    ? K extends keyof T
      ? Base & { readonly [P in keyof PropsOf<T, K>]: OutOf<PropsOf<T, K>[P]> }
      : never
    : never;

type Opt<P> = { [X in keyof P]: undefined extends InOf<P[X]> ? X : never }[keyof P];
type IdIn<X> =
  X extends Table<infer _P, infer O>
    ? O extends { id: unknown }
      ? { id: string }
      : { id?: string | undefined }
    : never;
/** The last argument where a table has application-defined ids. */
type RealmArgument<T, K extends keyof T> =
  IdIn<T[K]> extends { id: string } ? [options?: { readonly realm?: string | undefined }] : [];
export type TablesOf<S> = S extends Schema<infer T> ? T : never;

/** Over a schema's tables or the schema itself. */
export type NewRow<S, K extends keyof TablesIn<S>> = NewRowOf<TablesIn<S>, K>;
export type Patch<S, K extends keyof TablesIn<S>> = PatchOf<TablesIn<S>, K>;
type TablesIn<S> = S extends Schema<infer T> ? T : S;

export type NewRowOf<T, K extends keyof T> = IdIn<T[K]> & { realm?: string | undefined } & {
  [P in Exclude<keyof PropsOf<T, K>, Opt<PropsOf<T, K>>>]: InOf<PropsOf<T, K>[P]>;
} & { [P in Opt<PropsOf<T, K>>]?: InOf<PropsOf<T, K>[P]> };
/** Undefined is unchanged, null unsets. */
export type PatchOf<T, K extends keyof T> = {
  [P in keyof PropsOf<T, K>]?: InOf<PropsOf<T, K>[P]> | undefined;
};
type Inc<T, K extends keyof T> = {
  [P in keyof PropsOf<T, K> as NonNullable<OutOf<PropsOf<T, K>[P]>> extends number
    ? P
    : never]?: number;
};
type NumKeys<R> = { [P in keyof R]-?: NonNullable<R[P]> extends number ? P : never }[keyof R];

export type Comparison<V> =
  | '='
  | '!='
  | (NonNullable<V> extends number | string | Date ? '<' | '<=' | '>' | '>=' : never)
  | (NonNullable<V> extends string ? 'like' : never);
export interface Filter<R> {
  readonly [meta]: R;
}
export interface FilterBuilder<T extends Tables, K extends keyof T, R = Row<Schema<T>, K>> {
  cmp<P extends keyof R>(prop: P, op: Comparison<R[P]>, value: R[P]): Filter<R>;
  in<P extends keyof R>(prop: P, values: readonly R[P][]): Filter<R>;
  and(...filters: Filter<R>[]): Filter<R>;
  or(...filters: Filter<R>[]): Filter<R>;
  not(filter: Filter<R>): Filter<R>;
  /** There is a row of `details` that refers to this one, and matches. Two refs to this table need `via`. */
  exists<J extends Rev<T, K>>(
    details: J,
    where?: (q: Query<T, J>) => Query<T, J, unknown>,
    options?: { via?: keyof PropsOf<T, J> },
  ): Filter<R>;
  /** The ref leads to a row of this row's realm that matches. */
  related<P extends Fwd<T, K>>(
    ref: P,
    where?: (q: RelatedQuery<T, K, P>) => Query<T, RelatedTable<T, K, P>, unknown>,
  ): Filter<R>;
}
type RelatedTable<T, K extends keyof T, P extends keyof PropsOf<T, K>> = RefOf<PropsOf<T, K>[P]> &
  keyof T;
type RelatedQuery<T extends Tables, K extends keyof T, P extends keyof PropsOf<T, K>> = Query<
  T,
  RelatedTable<T, K, P>
>;

type Fwd<T, K extends keyof T> = {
  [P in keyof PropsOf<T, K>]: [RefOf<PropsOf<T, K>[P]>] extends [never] ? never : P;
}[keyof PropsOf<T, K>];
/** Not enums and refs, whose strings are no text for people. */
type StringProps<T, K extends keyof T> = {
  [P in keyof PropsOf<T, K>]: string extends OutOf<PropsOf<T, K>[P]>
    ? [RefOf<PropsOf<T, K>[P]>] extends [never]
      ? P
      : never
    : never;
}[keyof PropsOf<T, K>];
type Rev<T, K extends keyof T> = {
  [J in keyof T]: K extends { [P in keyof PropsOf<T, J>]: RefOf<PropsOf<T, J>[P]> }[keyof PropsOf<
    T,
    J
  >]
    ? J
    : never;
}[keyof T];

/** A query is immutable: each method returns a new one. Reads are synchronous. */
export interface Query<T extends Tables, K extends keyof T, R = Row<Schema<T>, K>> {
  where<P extends keyof Row<Schema<T>, K>>(
    prop: P,
    op: Comparison<Row<Schema<T>, K>[P]>,
    value: Row<Schema<T>, K>[P],
  ): this;
  where<P extends keyof Row<Schema<T>, K>>(
    prop: P,
    op: 'in',
    values: readonly Row<Schema<T>, K>[P][],
  ): this;
  where(filter: (b: FilterBuilder<T, K>) => Filter<Row<Schema<T>, K>>): this;
  /**
   * Null comes first, strings by their UTF-8 bytes. `collate` is a locale (BCP 47) in whose order people look strings up:
   * Å is after Z with 'sv', and among A with 'de'. Ties are broken by the next order, and in the end by id.
   */
  orderBy(
    ...order:
      | [prop: keyof Row<Schema<T>, K>, direction?: 'asc' | 'desc']
      | [
          prop: StringProps<T, K>,
          direction: 'asc' | 'desc' | undefined,
          options: { readonly collate?: string | undefined },
        ]
  ): this;
  limit(count: number): this;
  offset(count: number): this;
  /**
   * Rows that come after this one in the query's order; null: from the start. A row that was read marks the place where it was: the
   * rows behind it follow also once it has moved or is deleted. Of `{ id }` alone the place is where the row is now, and there are no
   * rows after it once it is deleted, unless the query has no order.
   */
  after(row: { readonly id: string } | null): this;
  include<P extends Fwd<T, K>>(
    ref: P,
  ): Query<
    T,
    K,
    Omit<R, P> & { readonly [Y in P]: Row<Schema<T>, RefOf<PropsOf<T, K>[P]>> | null }
  >;
  include<J extends Rev<T, K>, Q = Row<Schema<T>, J>>(
    details: J,
    query?: (q: Query<T, J>) => Query<T, J, Q>,
    options?: { via?: keyof PropsOf<T, J> },
  ): Query<T, K, R & { readonly [Y in J]: readonly Q[] }>;
  all(): readonly R[];
  first(): R | undefined;
  count(): number;
  ids(): readonly Id[];
  sum(prop: NumKeys<R>): number;
  min<P extends keyof R>(prop: P): R[P] | undefined;
  max<P extends keyof R>(prop: P): R[P] | undefined;
  live(): Live<readonly R[]>;
  liveFirst(): Live<R | undefined>;
  liveCount(): Live<number>;
  /** The same as `live().subscribe`. */
  subscribe(fn: (rows: readonly R[], delta?: Delta) => void): Stop;
}

export interface Reader<T extends Tables, K extends keyof T> extends Query<T, K> {
  /**
   * In a table with application-defined ids, an id names a row within its realm: the one of the realm that is given; else that of the
   * default realm, or the only one there is. Throws ValidationError if several other realms have one.
   */
  get(id: Id, ...options: RealmArgument<T, K>): Row<Schema<T>, K> | undefined;
  getMany(ids: readonly Id[]): (Row<Schema<T>, K> | undefined)[];
  /** Whether a change of this row is not yet confirmed by the server. */
  isPending(id: Id, ...options: RealmArgument<T, K>): boolean;
}

/** A table inside of a transaction: it sees the transaction's own writes. */
export interface Writer<T extends Tables, K extends keyof T> extends Reader<T, K> {
  /** Returns the id. `{ ...row, id: undefined }` makes a copy: the times of the row that was read are left out. */
  create(row: NewRowOf<T, K>): Id;
  createMany(rows: readonly NewRowOf<T, K>[]): Id[];
  upsert(row: NewRowOf<T, K> & { id: Id }): Id;
  /**
   * The row is found as by `get`. A whole row may be given back, `{ ...row, text }`: what it has besides its props changes nothing.
   * Throws ValidationError where its `id`, `realm` or times are others than the row has. In place of a ref, `include` puts a row,
   * which is not taken: give the id.
   */
  update(id: Id, patch: PatchOf<T, K>, ...options: RealmArgument<T, K>): boolean;
  delete(id: Id, ...options: RealmArgument<T, K>): boolean;
  inc(id: Id, by: Inc<T, K>, ...options: RealmArgument<T, K>): boolean;
  /** Rows with application-defined ids cannot be moved: ValidationError. */
  move(id: Id, realm: string): boolean;
  updateWhere(query: Query<T, K, unknown>, patch: PatchOf<T, K>): number;
  deleteWhere(query: Query<T, K, unknown>): number;
}

type TxOf<T extends Tables> = { readonly [K in keyof T]: Writer<T, K> };
/** The argument of a mutator, over a schema or its tables. */
export type Tx<S> = TablesIn<S> extends Tables ? TxOf<TablesIn<S>> : never;

export interface Mutation<V> {
  readonly id: Id;
  readonly result: V;
  /** It is stored in IndexedDB: its transaction has completed. */
  readonly durable: Promise<void>;
  /** The server has answered. */
  readonly pushed: Promise<void>;
  /** A pull has brought it from the server's log. */
  readonly confirmed: Promise<void>;
}

// biome-ignore lint/suspicious/noExplicitAny: the argument's type is the application's own.
export type Mutators<T extends Tables> = Record<string, (tx: TxOf<T>, arg: any) => unknown>;
/** A mutator is synchronous: the result of one that is not is never. */
export type Sync<R> = R extends PromiseLike<unknown> ? never : R;
/** How a mutation is made. */
export interface MutationOptions {
  /** False: `db.undo()` passes it over. */
  readonly undoable?: boolean;
}
/** A mutator that takes no argument takes the options as its second one all the same: `reset(undefined, { undoable: false })`. */
export type Mutate<M> = {
  // biome-ignore lint/suspicious/noExplicitAny: matches whatever transaction the mutator declares.
  readonly [N in keyof M]: M[N] extends (tx: any, ...args: infer A) => infer R
    ? (...args: A | [...A, MutationOptions]) => Mutation<Sync<R>>
    : never;
};
