/**
 * Queries at run time: immutable descriptions (docs/internals.md, section 7) with the methods of `Query` and `Reader`
 * (types.ts). Values are converted in the call that passes them, so that mistakes are thrown where they are made.
 */
import { SchemaError, UnsupportedError, ValidationError } from '../core/errors.ts';
import { declaredTables } from '../core/members.ts';
import { emptyQuery, type RowView, resolveBackRef, resolveInclude } from '../core/row-view.ts';
import type { RowObject, TableCodec } from '../core/values.ts';
import type { QueryDescription } from '../core/window-core.ts';
import { type LiveKind, type LiveRegistry, LiveValue } from './live.ts';
import { checkRow, placeOf, type RowWithId } from './place.ts';
import type { Delta, Stop } from './types.ts';

type FilterExpression = readonly unknown[];
type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'like' | 'in';
const operators: ReadonlySet<string> = new Set(['=', '!=', '<', '<=', '>', '>=', 'like', 'in']);
const isEverything: FilterExpression = ['true'];

export class QueryBuilder {
  readonly table: TableCodec;
  readonly description: QueryDescription;
  readonly #lives: LiveRegistry;
  /** Kept, because the order may be said after it. */
  readonly #after: RowWithId | null;

  constructor(
    lives: LiveRegistry,
    table: TableCodec,
    description: QueryDescription = emptyQuery(table.table.name),
    after: RowWithId | null = null,
  ) {
    this.#lives = lives;
    this.table = table;
    this.#after = after;
    this.description = after
      ? { ...description, after: placeOf(table, after, description) }
      : description;
  }

  get view(): RowView {
    return this.#lives.view;
  }

  #with(change: Partial<QueryDescription>, after = this.#after): QueryBuilder {
    return new QueryBuilder(this.#lives, this.table, { ...this.description, ...change }, after);
  }

  where(
    first: string | ((b: FilterMaker) => FilterExpression),
    op?: Operator,
    value?: unknown,
  ): QueryBuilder {
    const maker = new FilterMaker(this.#lives, this.table);
    const filter =
      typeof first === 'function'
        ? returned(first(maker))
        : maker.compare(first, op as Operator, value);
    const { where } = this.description;
    return this.#with({ where: where === null ? filter : ['and', where, filter] });
  }

  orderBy(
    column: string,
    direction: 'asc' | 'desc' = 'asc',
    { collate }: { collate?: string | undefined } = {},
  ): QueryBuilder {
    this.view.columnNumber(this.table, column);
    if (direction !== 'asc' && direction !== 'desc')
      throw new ValidationError('invalid_argument', 'An order is asc or desc.');
    const { order } = this.description;
    if (collate === undefined) return this.#with({ order: [...order, [column, direction]] });
    return this.#with({
      order: [...order, [column, direction, this.#locale(column, collate)]],
    });
  }

  /** The canonical form of a locale, so that `SV` and `sv` are one. */
  #locale(column: string, collate: string): string {
    if (this.table.table.byName.get(column)?.type !== 'string')
      throw new ValidationError('wrong_type', `collate orders strings, and ${column} is none.`);
    let locale: string | undefined;
    try {
      [locale] = Intl.Collator.supportedLocalesOf([collate]);
    } catch (cause) {
      throw new ValidationError('invalid_argument', `${collate} is no locale.`, { cause });
    }
    if (locale) return locale;
    // A fallback locale would order differently on each device.
    throw new UnsupportedError('unsupported', `The order of ${collate} is not known here.`);
  }

  limit(count: number): QueryBuilder {
    return this.#with({ limit: wholeNumber(count, 'limit') });
  }

  offset(count: number): QueryBuilder {
    return this.#with({ offset: wholeNumber(count, 'offset') });
  }

  after(row: { readonly id: string } | null): QueryBuilder {
    return this.#with({ after: null }, checkRow(row));
  }

  include(
    name: string,
    make?: (q: QueryBuilder) => QueryBuilder,
    options: { via?: string } = {},
  ): QueryBuilder {
    const { include } = this.description;
    if (include.some((other) => other.name === name)) {
      throw new ValidationError('invalid_argument', `${name} is included already.`);
    }
    const found = resolveInclude(this.view.schema, this.table.table.name, name, options.via);
    const query = make
      ? returnedQuery(make(new QueryBuilder(this.#lives, this.view.codec.table(found.table))))
      : null;
    return this.#with({ include: [...include, { ...found, query }] });
  }

  all(): readonly RowObject[] {
    return this.view.run(this.description);
  }

  first(): RowObject | undefined {
    return this.view.run({ ...this.description, limit: 1 })[0];
  }

  count(): number {
    return this.view.core.count({ ...this.description, include: [] });
  }

  ids(): readonly string[] {
    return this.view.ids(this.description);
  }

  sum(column: string): number {
    return (this.#aggregate('sum', column) as number | null) ?? 0;
  }

  min(column: string): unknown {
    return this.#aggregate('min', column) ?? undefined;
  }

  max(column: string): unknown {
    return this.#aggregate('max', column) ?? undefined;
  }

  #aggregate(kind: 'sum' | 'min' | 'max', column: string): unknown {
    const number = this.view.columnNumber(this.table, column);
    const plain = this.view.core.aggregate({ ...this.description, include: [] }, kind, number);
    return kind === 'sum' ? plain : this.table.fromPlain(column, plain);
  }

  live(): LiveValue {
    return this.#live('rows', this.description);
  }

  liveFirst(): LiveValue {
    return this.#live('first', { ...this.description, limit: 1 });
  }

  liveCount(): LiveValue {
    return this.#live('count', this.description);
  }

  #live(kind: LiveKind, description: QueryDescription): LiveValue {
    return new LiveValue(this.#lives, description, kind);
  }

  subscribe(fn: (rows: never, delta?: Delta) => void): Stop {
    return this.live().subscribe(fn);
  }
}

/** A table outside of a transaction: a query over all of it, and look-up by id. */
export class TableReader extends QueryBuilder {
  get(id: string, options?: InRealm): RowObject | undefined {
    const realm = realmIn(this.table, options);
    // The id may be undefined, because nothing is selected yet. No row has an id that is not a string.
    return typeof id === 'string' ? this.view.get(this.table, id, realm) : undefined;
  }

  getMany(ids: readonly string[]): (RowObject | undefined)[] {
    return ids.map((id) => this.get(id));
  }

  isPending(id: string, options?: InRealm): boolean {
    const realm = realmIn(this.table, options);
    return this.view.core.isPending(this.table.table.index, id, realm);
  }
}

export interface InRealm {
  readonly realm?: string | undefined;
}

/** The realm whose row is meant; null: none is named. Only application-defined ids may exist in several realms. */
export function realmIn({ table }: TableCodec, options: InRealm | undefined): string | null {
  const { realm } = options ?? {};
  if (realm === undefined) return null;
  if (table.ids !== 'string' || typeof realm !== 'string' || realm === '')
    throw new ValidationError(
      'invalid_argument',
      `A realm is a text, for tables with ids of their own; ${table.name} has ${table.ids} ids.`,
    );
  return realm;
}

/** The `b` of `where((b) => …)`. */
class FilterMaker {
  readonly #lives: LiveRegistry;
  readonly #table: TableCodec;

  constructor(lives: LiveRegistry, table: TableCodec) {
    this.#lives = lives;
    this.#table = table;
  }

  compare(column: string, op: Operator, value: unknown): FilterExpression {
    return op === 'in' ? this.in(column, value as readonly unknown[]) : this.cmp(column, op, value);
  }

  cmp(column: string, op: Operator, value: unknown): FilterExpression {
    if (!operators.has(op))
      throw new ValidationError('invalid_argument', `There is no comparison ${String(op)}.`);
    return [op, column, this.#table.toPlain(column, value)];
  }

  in(column: string, values: readonly unknown[]): FilterExpression {
    if (!Array.isArray(values))
      throw new ValidationError('invalid_argument', `"in" takes a list of values (${column}).`);
    return ['in', column, values.map((value) => this.#table.toPlain(column, value))];
  }

  and(...filters: FilterExpression[]): FilterExpression {
    return ['and', ...filters.map(returned)];
  }

  or(...filters: FilterExpression[]): FilterExpression {
    return ['or', ...filters.map(returned)];
  }

  not(filter: FilterExpression): FilterExpression {
    return ['not', returned(filter)];
  }

  exists(
    details: string,
    make?: (q: QueryBuilder) => QueryBuilder,
    options: { via?: string } = {},
  ): FilterExpression {
    const { codec, schema } = this.#lives.view;
    const via = resolveBackRef(schema, this.#table.table.name, details, options.via);
    const start = new QueryBuilder(this.#lives, codec.table(details));
    const { where } = make ? returnedQuery(make(start)) : start.description;
    return ['exists', details, where ?? isEverything, via];
  }

  related(ref: string, make?: (q: QueryBuilder) => QueryBuilder): FilterExpression {
    const { table } = this.#table.table.byName.get(ref)?.ref ?? {};
    if (table === undefined)
      throw new SchemaError('unknown_prop', `${this.#table.table.name}.${ref} is no ref.`);
    const start = new QueryBuilder(this.#lives, this.#lives.view.codec.table(table));
    const { where } = make ? returnedQuery(make(start)) : start.description;
    return ['in', ref, { table, select: 'id', where: where ?? isEverything }];
  }
}

/** The form of `exists` that scopes have, whose inner rows are of the outer row's realm. */
function inScope(filter: FilterExpression): FilterExpression {
  const [kind, ...rest] = filter;
  if (kind === 'and' || kind === 'or' || kind === 'not')
    return [kind, ...rest.map((part) => inScope(part as FilterExpression))];
  if (kind !== 'exists') return filter;
  const [table, where, via] = rest;
  return ['in', 'id', { table, select: via, where }];
}

/** Without this check a forgotten `return` would mean no filter, which all rows match. */
function returned(filter: FilterExpression | null | undefined): FilterExpression {
  if (Array.isArray(filter)) return filter as FilterExpression;
  throw new ValidationError('invalid_argument', returnedWhat('filter', filter));
}

function returnedQuery(query: QueryBuilder | null | undefined): QueryDescription {
  if (query instanceof QueryBuilder) return query.description;
  throw new ValidationError('invalid_argument', returnedWhat('query', query));
}

function returnedWhat(what: string, value: unknown): string {
  return value === undefined || value === null
    ? `The ${what} function returned nothing.`
    : `The ${what} function returned no ${what}.`;
}

function wholeNumber(count: number, what: string): number {
  if (Number.isInteger(count) && count >= 0) return count;
  throw new ValidationError('invalid_argument', `${what} takes a whole number, 0 or more.`);
}

/** The option `scopes` of `open`, as filters, and the whole of each table that is `autosubscribe`. */
export function scopesOf(
  lives: LiveRegistry,
  scopes: unknown,
): { table: string; where: FilterExpression }[] {
  const tables = declaredTables(lives.view.codec);
  const wholes = (of: typeof tables) =>
    of.map(({ table }) => ({ table: table.name, where: isEverything }));
  if (scopes === 'all') return wholes(tables);
  if (typeof scopes !== 'function')
    throw new ValidationError(
      'invalid_argument',
      'With a remote, open() needs scopes: "all", or a function that returns a list of queries.',
    );
  const builders = tables.map(
    (table) => [table.table.name, new QueryBuilder(lives, table)] as const,
  );
  const queries: unknown = scopes(Object.fromEntries(builders));
  if (!Array.isArray(queries))
    throw new ValidationError('invalid_argument', returnedWhat('scopes', queries));
  const asked = queries.map((query) => scopeOf(query));
  const isAsked = (name: string) =>
    asked.some(({ table, where }) => table === name && where === isEverything);
  const everybodys = tables.filter(({ table }) => table.autosubscribe && !isAsked(table.name));
  return [...asked, ...wholes(everybodys)];
}

/** The filter of a scope: a query without order, limit or included rows. */
export function scopeOf(query: unknown): { table: string; where: FilterExpression } {
  if (!(query instanceof QueryBuilder))
    throw new ValidationError('invalid_argument', 'A scope is a query of this database.');
  const { table, where, limit, offset, after, include } = query.description;
  if (limit !== null || offset > 0 || after !== null || include.length > 0) {
    throw new SchemaError(
      'schema',
      `A scope is a table and a filter, without limit or included rows (${table}).`,
    );
  }
  return { table, where: where === null ? isEverything : inScope(where as FilterExpression) };
}
