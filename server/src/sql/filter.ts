// A scope's filter as a parameterised SQL condition, with the semantics of src/model/filter.h (docs/design.md,
// "Filters"): absent = null; `= null` and `!= null` test for null; any other comparison with null is false, and `not` negates that result,
// so every comparison within a `not` is made two-valued by coalesce (elsewhere null counts as false by itself, and an
// index can be used); strings compare by UTF-8 bytes; `like` is case-sensitive.
//
// A sub-select is looked up row by row where its prop has an index. Otherwise its values become a hash table, whatever
// the planner thinks of their number: a subquery without references to the outer row that is no condition of its own
// (`is true`) is never made a join, and is hashed if it fits into work_mem (session.ts). So its cost is that of reading the
// inner rows once.

import { isObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { isStorable, type Params } from '../db/database.ts';
import type { PropType } from './description.ts';
import {
  byRealm,
  columnOfProp,
  fromPlain,
  type SqlColumn,
  type SqlSchema,
  type SqlTable,
  tableNamed,
} from './tables.ts';

// The core has checked each filter; several may be joined by an `or`.
const kMaxDepth = limits.filterDepth + 1;
const kMaxNodes = 2 * limits.filterParts;
const kMaxValues = 10_000;

interface Column {
  readonly type: PropType;
  readonly expression: string;
  /** Without a collation. */
  readonly plain: string;
  /** As an index would hold it; itself if it is short. */
  readonly beginning: string;
  /** What the index by realm holds of a value of this column; null: there is none. */
  indexed(expression: string): string | null;
  /** What the index by realm holds of the column itself. */
  readonly inIndex: string | null;
  /** Whether rows are found by a value of it without reading all rows of their realm. */
  readonly isLookedUp: boolean;
  fromPlain(expression: string): string;
}

/** Where a part of a filter is. */
interface FilterPosition {
  readonly depth: number;
  /** Within a sub-select, which may have no other. */
  readonly isInner: boolean;
  /** Within a `not`, which takes null for neither true nor false. */
  readonly isNegated: boolean;
}

const operators: Readonly<Record<string, string>> = {
  '=': '=',
  '!=': '<>',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
};

function invalid(detail: string): Problem {
  return new Problem('invalid', detail);
}

function systemColumn(name: string): SqlColumn | null {
  switch (name) {
    case 'id':
      return { prop: name, type: 'string', name: 'id' };
    case 'realm':
      return { prop: name, type: 'string', name: 'realm' };
    case 'createdAt':
      return { prop: name, type: 'date', name: 'created_at' };
    case 'modifiedAt':
      return { prop: name, type: 'date', name: 'modified_at' };
    default:
      return null;
  }
}

function isText(type: PropType): boolean {
  return type === 'string' || type === 'enum' || type === 'ref';
}

/** The earliest time that PostgreSQL can store. Dates in filters may be earlier, those in rows may not. */
const kFirstDateMs = -210_866_803_200_000;

function isBeforeAll(plain: string, column: Column): boolean {
  return column.type === 'date' && Number(plain) < kFirstDateMs;
}

/** The plain form of a value, from its forms on the wire; checks that it fits the column. */
function plainValue(value: unknown, column: Column): string {
  let plain = value;
  if (isObject(value) && (value.$type === 'date' || value.$type === 'bytes')) plain = value.v;
  const type = column.type;
  if (isText(type) || type === 'bytes') {
    if (typeof plain !== 'string')
      throw invalid(`A filter compares a ${type} with something else.`);
    if (!isStorable(plain)) {
      throw invalid('A filter has a text that no database can store.');
    }
    return plain;
  }
  if (type === 'number' || type === 'date') {
    if (typeof plain !== 'number')
      throw invalid(`A filter compares a ${type} with something else.`);
    if (!Number.isFinite(plain)) throw invalid('A filter has a number that is not finite.');
    return String(plain);
  }
  if (type === 'boolean') {
    if (typeof plain !== 'boolean')
      throw invalid('A filter compares a boolean with something else.');
    return String(plain);
  }
  throw invalid(`Props of type ${type} can only be compared with null.`);
}

class FilterWriter {
  readonly #schema: SqlSchema;
  readonly #params: Params;
  /** The realms of the rows, as an SQL expression: JSON text; null: all. */
  readonly #realms: string | null;
  /** What has all rows that are tested, and few others, as an SQL name; null: nothing has. */
  readonly #source: string | null;
  #nodes = 0;

  constructor(
    schema: SqlSchema,
    params: Params,
    realms: string | null = null,
    source: string | null = null,
  ) {
    this.#schema = schema;
    this.#params = params;
    this.#realms = realms;
    this.#source = source;
  }

  #column(table: SqlTable, alias: string, name: unknown): Column {
    const column =
      columnOfProp(table, name) ?? (typeof name === 'string' ? systemColumn(name) : null);
    if (column === null) throw invalid(`A filter names a prop that ${table.table} does not have.`);
    const plain = `${alias}.${column.name}`;
    const indexed = (expression: string) =>
      column.isIndexed === true ? byRealm(column, expression) : null;
    return {
      type: column.type,
      expression: isText(column.type) ? `${plain} collate "C"` : plain,
      plain,
      beginning: byRealm(column, plain) ?? plain,
      indexed,
      inIndex: indexed(plain),
      isLookedUp: isLookedUp(table, name),
      fromPlain: (text) => {
        if (column.type === 'number' || column.type === 'date') {
          return fromPlain(column, `${text}::double precision`);
        }
        if (column.type === 'boolean') return `${text}::boolean`;
        return fromPlain(column, text);
      },
    };
  }

  write(table: SqlTable, alias: string, filter: unknown, place: FilterPosition): string {
    if (!Array.isArray(filter)) throw invalid('A filter is not a list.');
    if (place.depth > kMaxDepth || ++this.#nodes > kMaxNodes)
      throw invalid('A filter is too deep.');
    const [kind, ...rest] = filter as unknown[];
    const below = { ...place, depth: place.depth + 1 };
    if (kind === 'true' && rest.length === 0) return 'true';
    if (kind === 'and' || kind === 'or') {
      const parts = rest.map((part) => this.write(table, alias, part, below));
      if (parts.length === 0) return kind === 'and' ? 'true' : 'false';
      return `(${parts.join(` ${kind} `)})`;
    }
    if (kind === 'not' && rest.length === 1) {
      return `(not ${this.write(table, alias, rest[0], { ...below, isNegated: true })})`;
    }
    if (rest.length !== 2) throw invalid('A filter has a part of an unknown form.');
    const column = this.#column(table, alias, rest[0]);
    if (kind === 'in' && !Array.isArray(rest[1])) {
      return this.#inSelect(
        column,
        this.#column(table, `${alias}v`, rest[0]),
        alias,
        rest[1],
        place,
      );
    }
    const condition = this.#condition(kind, column, rest[1]);
    return place.isNegated ? `coalesce(${condition}, false)` : condition;
  }

  /** A comparison, which is null where the row has null. */
  #condition(kind: unknown, column: Column, value: unknown): string {
    if (kind === 'like') return this.#like(column, value);
    if (kind === 'in') return this.#in(column, value as readonly unknown[]);
    const operator = typeof kind === 'string' ? operators[kind] : undefined;
    if (operator === undefined) throw invalid('A filter has an unknown operator.');
    return this.#compare(column, operator, value);
  }

  #compare(column: Column, operator: string, value: unknown): string {
    if (value === null) {
      if (operator === '=') return `(${column.expression} is null)`;
      if (operator === '<>') return `(${column.expression} is not null)`;
      return 'false';
    }
    const plain = plainValue(value, column);
    const right = isBeforeAll(plain, column)
      ? `'-infinity'::timestamp with time zone`
      : column.fromPlain(this.#params.add(plain));
    const condition = `${column.expression} ${operator} ${right}`;
    const indexed = column.indexed(right);
    // The beginnings of different values may be equal.
    if (indexed === right || indexed === null || operator === '<>') return `(${condition})`;
    const within = operator === '=' ? '=' : `${operator.slice(0, 1)}=`;
    return `(${column.inIndex} ${within} ${indexed} and ${condition})`;
  }

  #like(column: Column, pattern: unknown): string {
    if (!isText(column.type)) throw invalid('`like` compares text only.');
    if (pattern === null) return 'false';
    const text = plainValue(pattern, column);
    // SQL refuses a pattern that ends with a lone escape: it matches nothing.
    if (/(^|[^\\])(\\\\)*\\$/.test(text)) return 'false';
    // PostgreSQL scans the text again for each character of a pattern that overlaps itself.
    if ([...text].length > limits.patternCharacters) throw invalid('A pattern is too long.');
    return `(${column.expression} like ${this.#params.add(text)})`;
  }

  #in(column: Column, list: readonly unknown[]): string {
    if (list.length > kMaxValues) throw invalid('A filter lists too many values.');
    // A null in the list equals nothing, as in every comparison except `=` and `!=` with null itself.
    const texts = list
      .filter((value) => value !== null)
      .map((value) => plainValue(value, column))
      .filter((plain) => !isBeforeAll(plain, column));
    const values = this.#params.add(JSON.stringify(texts));
    const among = (compared: string, value: string) =>
      `${compared} = any (array(select ${value} from json_array_elements_text(${values}::json) as l(v)))`;
    const value = column.fromPlain('l.v');
    const condition = among(column.expression, value);
    const indexed = column.indexed(value);
    if (indexed === value || indexed === null || column.inIndex === null) return `(${condition})`;
    return `(${among(column.inIndex, indexed)} and ${condition})`;
  }

  #inSelect(
    column: Column,
    value: Column,
    alias: string,
    set: unknown,
    place: FilterPosition,
  ): string {
    if (place.isInner || !isObject(set))
      throw invalid('A filter has a sub-select in a place where none is allowed.');
    const table = tableNamed(this.#schema, set.table);
    if (table === undefined) throw invalid('A sub-select names a table that does not exist.');
    const nested = `${alias}i`;
    const selected = this.#column(table, nested, set.select);
    const inside = { depth: place.depth + 1, isInner: true, isNegated: false };
    const where = this.write(table, nested, set.where ?? ['true'], inside);
    if (!selected.isLookedUp) {
      const realms =
        this.#realms === null ? '' : `and ${nested}.realm = any(${realmsIn(this.#realms)})`;
      return `((${alias}.realm, ${column.expression}) in (
        select ${nested}.realm, ${selected.expression} from ${table.name} ${nested}
         where ${nested}.deleted_at is null and ${selected.plain} is not null ${realms} and ${where}) is true)`;
    }
    const found = (of: string, wanted: Column) => `${nested}.realm = ${of}.realm
      and ${nested}.deleted_at is null and ${equal(selected, wanted)} and ${where}`;
    const inner = `${table.name} ${nested}`;
    if (this.#source === null)
      return `exists (select 1 from ${inner} where ${found(alias, column)})`;
    // Each value once: very many rows may have the same, and select as many.
    const values = `${alias}v`;
    return `((${alias}.realm, ${column.expression}) in (
      select ${values}.realm, ${value.expression}
        from (select distinct ${values}.realm, ${value.plain} from ${this.#source} ${values}
               where ${value.plain} is not null) ${values}
       cross join lateral (select 1 from ${inner} where ${found(values, value)} limit 1) x) is true)`;
  }

  /** The column's value, of a plain value as text, if it has no index; else null. */
  valueWithoutIndex(table: SqlTable, alias: string, name: unknown, value: string) {
    const column = this.#column(table, alias, name);
    if (column.isLookedUp) return null;
    return { column: column.expression, plain: column.plain, value: column.fromPlain(value) };
  }

  /** The condition that a column equals a value of `column`, which is of a type that is compared with it. */
  equals(table: SqlTable, alias: string, name: unknown, value: string): string {
    const column = this.#column(table, alias, name);
    const right = column.fromPlain(value);
    const indexed = column.indexed(right);
    const condition = `${column.expression} = ${right}`;
    if (indexed === null || indexed === right) return condition;
    return `${column.inIndex} = ${indexed} and ${condition}`;
  }
}

/** The condition that the columns of two tables are equal, by the index of either. */
function equal(a: Column, b: Column): string {
  const condition = `${a.expression} = ${b.expression}`;
  const hasBeginnings = [a, b].some((column) => column.inIndex?.startsWith(column.plain) === false);
  return hasBeginnings ? `${a.beginning} = ${b.beginning} and ${condition}` : condition;
}

/** Whether rows of the table are found by a value of the prop without reading all rows of their realm. */
export function isLookedUp(table: SqlTable, prop: unknown): boolean {
  return prop === 'id' || columnOfProp(table, prop)?.isIndexed === true;
}

/** An array of the realms in a JSON text. */
export function realmsIn(realms: string): string {
  return `array(select r.name from json_array_elements_text(${realms}::json) as r(name))`;
}

/**
 * The condition on a row `alias` of the table, which is in one of `realms` (an SQL expression: JSON text), and among those of
 * `source` (an SQL name). Throws Problem `invalid` if it is not a valid filter.
 */
export function filterSql(
  schema: SqlSchema,
  table: SqlTable,
  alias: string,
  filter: unknown,
  params: Params,
  realms: string | null = null,
  source: string | null = null,
): string {
  const place = { depth: 1, isInner: false, isNegated: false };
  return new FilterWriter(schema, params, realms, source).write(table, alias, filter, place);
}

/** A sub-select by itself: the rows of `table` that match and are live. */
export interface Selection {
  readonly table: SqlTable;
  readonly select: string;
  readonly where: unknown;
}

/** The condition that the row `alias` is live and matches, and selects `value`, a plain value as text. */
export function selectionSql(
  schema: SqlSchema,
  { table, select, where }: Selection,
  alias: string,
  value: string,
  params: Params,
): string {
  const writer = new FilterWriter(schema, params);
  const matches = writer.write(table, alias, where, { depth: 1, isInner: true, isNegated: false });
  return `${alias}.deleted_at is null and ${writer.equals(table, alias, select, value)} and ${matches}`;
}

/** A selection whose prop has no index: it is compared with a hash table of values. */
export interface HashedSelection {
  /** The condition that the row is live and matches, and selects something. */
  readonly matches: string;
  /** What the row selects. */
  readonly column: string;
  /** The value in the plain text `value`. */
  readonly value: string;
}

/** The parts of a condition as `selectionSql` makes it, if the prop has no index; else null. */
export function hashedSelection(
  schema: SqlSchema,
  { table, select, where }: Selection,
  alias: string,
  value: string,
  params: Params,
): HashedSelection | null {
  const writer = new FilterWriter(schema, params);
  const found = writer.valueWithoutIndex(table, alias, select, value);
  if (found === null) return null;
  const matches = writer.write(table, alias, where, { depth: 1, isInner: true, isNegated: false });
  return {
    matches: `${alias}.deleted_at is null and ${found.plain} is not null and ${matches}`,
    column: found.column,
    value: found.value,
  };
}
