/**
 * The rows that the server's rules see: those that an action has changed, and what the server has read for them. A read that is not
 * there yet throws Missing; the rules are asked again when it is.
 */

import type { LiveRegistry } from '../api/live.ts';
import { TableReader } from '../api/query.ts';
import { isBytes } from '../core/brand.ts';
import type { RuledRow, RuleQuestion, RuleRead } from '../core/core-types.ts';
import { errorFromCode, ValidationError } from '../core/errors.ts';
import { declaredTables } from '../core/members.ts';
import { withMembers } from '../core/mutable-copy.ts';
import { systemColumns } from '../core/prop-def.ts';
import { emptyQuery } from '../core/row-view.ts';
import { fromBase64, toBase64 } from '../core/special-json.ts';
import type { RowObject, SchemaCodec, TableCodec } from '../core/values.ts';
import type { QueryDescription } from '../core/window-core.ts';

/** Not an error of the application: what a rule reads is still to be fetched. */
class Missing extends Error {}

type ReadKind = 'rows' | 'count' | 'sum' | 'min' | 'max';

/** A row in its plain form; props that are null may be left out. */
interface SentRow {
  readonly id: string;
  readonly realm: string;
  readonly createdAt: number;
  readonly modifiedAt: number;
  readonly props: Readonly<Record<string, unknown>>;
}

interface RowWithIncluded {
  readonly row: SentRow;
  readonly with: readonly (readonly RowWithIncluded[])[];
}

/** A row in the application's form. */
export function rowObject(table: TableCodec, row: unknown): RowObject {
  const { id, realm, createdAt, modifiedAt, props } = row as SentRow;
  const plain: Record<string, unknown> = { id, realm, createdAt, modifiedAt };
  for (const { name, type } of table.table.props) {
    const value = props[name] ?? null;
    plain[name] = type === 'bytes' && typeof value === 'string' ? fromBase64(value) : value;
  }
  return table.rowFromPlain(plain) as RowObject;
}

export class ReadView {
  readonly codec: SchemaCodec;
  /** What the rules read that is not there yet. */
  readonly missing: RuleRead[] = [];
  readonly #question: RuleQuestion;
  readonly #isBefore: boolean;
  readonly #known: ReadonlyMap<string, unknown>;

  constructor(codec: SchemaCodec, question: RuleQuestion, isBefore: boolean) {
    this.codec = codec;
    this.#question = question;
    this.#isBefore = isBefore;
    this.#known = new Map(question.reads.map((read, i) => [keyOf(read), question.values[i]]));
  }

  get schema() {
    return this.codec.schema;
  }

  /** The reader that is given to rules. */
  reader(): Readonly<Record<string, TableReader>> {
    // The part of a window's view that queries ask; what is only of windows (live values) is not there.
    const lives = { view: this } as unknown as LiveRegistry;
    const readers = declaredTables(this.codec).map(
      (table) => [table.table.name, new RuleTableReader(lives, table)] as const,
    );
    return Object.freeze(Object.fromEntries(readers));
  }

  /** The calls of a window's core that queries make. */
  readonly core = {
    count: (query: QueryDescription) => this.#read('count', query) as number,
    aggregate: (query: QueryDescription, kind: 'sum' | 'min' | 'max', column: number) => {
      const table = this.codec.table(query.table);
      const name = columnsOf(table)[column] as string;
      const value = this.#read(kind, query, name);
      return table.table.byName.get(name)?.type === 'bytes' && typeof value === 'string'
        ? fromBase64(value)
        : value;
    },
    isPending: () => false,
  };

  /** A row that the action has changed, as it is seen here. */
  stateOf({ table, before, after }: RuledRow): RowObject | undefined {
    const state = this.#isBefore ? before : after;
    return state === null ? undefined : rowObject(this.codec.table(table), state);
  }

  columnNumber(table: TableCodec, column: string): number {
    const number = columnsOf(table).indexOf(column);
    if (number < 0) throw table.unknownColumn(column);
    return number;
  }

  get(table: TableCodec, id: string, realm: string | null = null): RowObject | undefined {
    const { name } = table.table;
    const changed = this.#question.changed.filter(
      (row) => row.table === name && row.id === id && (realm === null || row.realm === realm),
    );
    for (const one of changed) {
      const row = this.stateOf(one);
      if (row) return row;
    }
    // Ids that the application defines may be in other realms, too.
    if (changed.length > 0 && (realm !== null || table.table.ids === 'uuid')) return undefined;
    const byId = ['=', 'id', id];
    const where = realm === null ? byId : ['and', byId, ['=', 'realm', realm]];
    const rows = this.run({ ...emptyQuery(name), where });
    if (rows.length > 1)
      throw new ValidationError('invalid_argument', `Several realms have ${name} ${id}: name one.`);
    return rows[0];
  }

  run(query: QueryDescription): readonly RowObject[] {
    const rows = this.#read('rows', query) as readonly RowWithIncluded[];
    return Object.freeze(rows.map((row) => this.#composed(query, row)));
  }

  ids(query: QueryDescription): readonly string[] {
    return this.run({ ...query, include: [] }).map(({ id }) => id);
  }

  #composed(query: QueryDescription, { row, with: included }: RowWithIncluded): RowObject {
    const base = rowObject(this.codec.table(query.table), row);
    if (query.include.length === 0) return base;
    const members = query.include.map(({ name, kind, table, query: inner }, i) => {
      const rows = (included[i] ?? []).map((one) =>
        this.#composed(inner ?? emptyQuery(table), one),
      );
      return [name, kind === 'ref' ? (rows[0] ?? null) : Object.freeze(rows)] as const;
    });
    return withMembers(base, Object.fromEntries(members)) as RowObject;
  }

  #read(what: ReadKind, description: QueryDescription, column = ''): unknown {
    const read: RuleRead = {
      query: JSON.parse(JSON.stringify(description, bytesAsText)),
      before: this.#isBefore,
      what,
      column,
    };
    const value = this.#known.get(keyOf(read));
    if (value === undefined) {
      this.missing.push(read);
      throw new Missing();
    }
    const { error } = (value ?? {}) as { error?: { code: string; detail: string } };
    if (error) throw errorFromCode(error.code, error.detail);
    return value;
  }
}

/** Asks for all rows at once. */
class RuleTableReader extends TableReader {
  override getMany(ids: readonly string[]): (RowObject | undefined)[] {
    let missing: Missing | null = null;
    const rows = ids.map((id) => {
      try {
        return this.get(id);
      } catch (error) {
        if (!(error instanceof Missing)) throw error;
        missing = error;
        return undefined;
      }
    });
    if (missing !== null) throw missing;
    return rows;
  }
}

/** In the order by which they are numbered here. */
function columnsOf({ table }: TableCodec): readonly string[] {
  return [...table.props.map(({ name }) => name), ...systemColumns];
}

function keyOf({ query, before, what, column }: RuleRead): string {
  return JSON.stringify([before === true, what, column ?? '', query]);
}

function bytesAsText(_key: string, value: unknown): unknown {
  return isBytes(value) ? { $type: 'bytes', v: toBase64(value) } : value;
}
