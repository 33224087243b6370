// A scope's filter as a parameterised SQL condition, with the semantics of src/model/filter.h (docs/design.md,
// "Filters"): absent = null; `= null` and `!= null` test for null; any other comparison with null is false, and `not` negates that result,
// so every comparison within a `not` is made two-valued by coalesce (elsewhere null counts as false by itself, and an
// index can be used); strings compare by UTF-8 bytes; `like` is case-sensitive.

import { isObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { isStorable, type Params } from '../db/database.ts';
import type { PropType } from './description.ts';
import { byRealm, fromPlain, type SqlColumn, type SqlSchema, type SqlTable } from './tables.ts';

const kMaxDepth = limits.filterDepth;
const kMaxNodes = 1_000;
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
  fromPlain(expression: string): string;
}

/** Where a part of a filter is. */
interface Place {
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
  #nodes = 0;

  constructor(schema: SqlSchema, params: Params) {
    this.#schema = schema;
    this.#params = params;
  }

  #column(table: SqlTable, alias: string, name: unknown): Column {
    const column =
      table.columns.find(({ prop }) => prop === name) ??
      (typeof name === 'string' ? systemColumn(name) : null);
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
      fromPlain: (text) => {
        if (column.type === 'number' || column.type === 'date') {
          return fromPlain(column, `${text}::double precision`);
        }
        if (column.type === 'boolean') return `${text}::boolean`;
        return fromPlain(column, text);
      },
    };
  }

  write(table: SqlTable, alias: string, filter: unknown, place: Place): string {
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
      return this.#inSelect(column, alias, rest[1], place);
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

  #inSelect(column: Column, alias: string, set: unknown, place: Place): string {
    if (place.isInner || !isObject(set))
      throw invalid('A filter has a sub-select in a place where none is allowed.');
    const table = typeof set.table === 'string' ? this.#schema.get(set.table) : undefined;
    if (table === undefined) throw invalid('A sub-select names a table that does not exist.');
    const nested = `${alias}i`;
    const selected = this.#column(table, nested, set.select);
    const inside = { depth: place.depth + 1, isInner: true, isNegated: false };
    const where = this.write(table, nested, set.where ?? ['true'], inside);
    return `exists (select 1 from ${table.name} ${nested} where ${nested}.realm = ${alias}.realm
      and ${nested}.deleted_at is null and ${equal(selected, column)} and ${where})`;
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

/** The condition on a row `alias` of the table. Throws Problem `invalid` if it is not a valid filter. */
export function filterSql(
  schema: SqlSchema,
  table: SqlTable,
  alias: string,
  filter: unknown,
  params: Params,
): string {
  const place = { depth: 1, isInner: false, isNegated: false };
  return new FilterWriter(schema, params).write(table, alias, filter, place);
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
