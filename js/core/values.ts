/**
 * Values of props between the application's form and the plain form in which they cross to the core
 * (docs/internals.md, section 2), and rows out of the core's bytes.
 *
 * JavaScript checks only what the conversion itself needs; whether a value fits its prop is the core's decision.
 */
import { copyBytes, isBytes, isDate, nameOf } from './brand.ts';
import { type ErrorCode, LimitError, SchemaError, ValidationError } from './errors.ts';
import { keepDate, keepMember } from './mutable-copy.ts';
import {
  type NamedDef,
  type PropDef,
  type PropType,
  type SchemaDef,
  systemColumns,
  type TableDef,
} from './prop-def.ts';
import type { Cells } from './row-cells.ts';
import { dateToMs, TypeRegistry, toBase64, UnknownValue } from './special-json.ts';

/** A row as the application sees it: frozen, and the same object until the row changes. */
export type RowObject = Readonly<Record<string, unknown>> & {
  readonly id: string;
  readonly realm: string;
  readonly createdAt: Date;
  readonly modifiedAt: Date;
};

type CellReader = (cells: Cells, cell: number) => unknown;
const number: CellReader = (cells, cell) => cells.number(cell);
const text: CellReader = (cells, cell) => cells.text(cell);
const json: CellReader = (cells, cell) => cells.json(cell);
const cellReaders: Readonly<Record<PropType, CellReader>> = {
  number,
  date: number,
  boolean: (cells, cell) => cells.boolean(cell),
  bytes: (cells, cell) => cells.bytes(cell),
  string: text,
  enum: text,
  ref: text,
  json,
  class: json,
};

interface PropCodec {
  readonly name: string;
  readonly isDate?: boolean;
  toPlain(value: unknown): unknown;
  fromPlain(plain: unknown): unknown;
}

export class TableCodec {
  readonly table: TableDef;
  readonly #registry: TypeRegistry;
  readonly #props: readonly PropCodec[];
  readonly #readers: readonly CellReader[];
  readonly #byName: ReadonlyMap<string, PropCodec>;

  constructor(table: TableDef, registry: TypeRegistry) {
    this.table = table;
    this.#registry = registry;
    this.#props = table.props.map((prop) => propCodec(table.name, prop.name, prop, registry));
    this.#readers = table.props.map(({ type }) => cellReaders[type]);
    this.#byName = new Map(
      [...systemColumns.map((name) => systemCodec(name)), ...this.#props].map((codec) => [
        codec.name,
        codec,
      ]),
    );
  }

  /** One value of a column, for filters and ops. */
  toPlain(column: string, value: unknown): unknown {
    const codec = this.#byName.get(column);
    if (!codec) throw this.unknownColumn(column);
    if (value === undefined)
      throw new ValidationError(
        'wrong_type',
        `${this.table.name}.${column}: undefined is no value.`,
      );
    return value === null ? null : codec.toPlain(value);
  }

  fromPlain(column: string, plain: unknown): unknown {
    const codec = this.#byName.get(column);
    if (!codec) throw this.unknownColumn(column);
    return plain === null ? null : codec.fromPlain(plain);
  }

  /**
   * The props of a new row or of a patch. Members that are undefined count as left out. `isLeftOut`: asked about each that is no
   * prop; what it does not leave out is refused.
   */
  propsToPlain(
    values: Readonly<Record<string, unknown>>,
    isLeftOut: (key: string, value: unknown) => boolean = () => false,
  ): Record<string, unknown> {
    const plain: Record<string, unknown> = {};
    for (const key of Object.keys(values)) {
      const value = values[key];
      if (value === undefined) continue;
      if (this.table.byName.has(key)) plain[key] = this.toPlain(key, value);
      else if (!isLeftOut(key, value)) throw this.unknownColumn(key);
    }
    return plain;
  }

  /** `id`, where it is known. */
  readRow(cells: Cells, id?: string): RowObject {
    const props = this.#props;
    const { length } = props;
    const row: Record<string, unknown> = {
      id: id ?? cells.text(length),
      realm: cells.text(length + 1),
    };
    keepDate(row, 'createdAt', cells.number(length + 2) as number);
    keepDate(row, 'modifiedAt', cells.number(length + 3) as number);
    // The application's own code may read other rows, which then lie where this one did: all is read before it is called.
    const plains = this.#readers.map((read, i) => read(cells, i));
    for (let i = 0; i < length; i++) {
      const { name, isDate, fromPlain } = props[i] as PropCodec;
      const plain = plains[i];
      if (plain === null) row[name] = null;
      else if (isDate) keepDate(row, name, plain as number);
      else if (fromPlain === same) row[name] = plain;
      else keepMember(row, name, fromPlain(plain));
    }
    return Object.freeze(row) as RowObject;
  }

  /** A row in the plain form that conflicts hold, or null. */
  rowFromPlain(plain: unknown): Readonly<Record<string, unknown>> | null {
    if (typeof plain !== 'object' || plain === null) return null;
    const row: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(plain)) {
      // A prop that only an older or newer schema has.
      const known = this.#byName.has(key);
      keepMember(
        row,
        key,
        known ? this.fromPlain(key, value) : unknownValue(this.#registry, value),
      );
    }
    return Object.freeze(row);
  }

  unknownColumn(name: string): SchemaError {
    return new SchemaError('unknown_prop', `Table ${this.table.name} has no prop ${name}.`);
  }
}

export class SchemaCodec {
  readonly schema: SchemaDef;
  readonly registry = new TypeRegistry();
  readonly tables: readonly TableCodec[];

  constructor(schema: SchemaDef) {
    this.schema = schema;
    for (const prop of schema.tables.flatMap((table) => table.props)) {
      if (prop.enumeration) this.registry.addEnum(prop.enumeration);
      if (prop.codec) this.registry.addClass(prop.codec);
    }
    this.tables = schema.tables.map((table) => new TableCodec(table, this.registry));
  }

  /** A row of which the schema may lack the table and props, in the form that conflicts hold. */
  unknownRow(plain: unknown): Readonly<Record<string, unknown>> | null {
    if (typeof plain !== 'object' || plain === null) return null;
    const row: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(plain))
      keepMember(row, key, unknownValue(this.registry, value));
    return Object.freeze(row);
  }

  table(name: string): TableCodec {
    const codec = this.tables[this.schema.byName.get(name)?.index ?? -1];
    if (!codec) throw new SchemaError('unknown_table', `The schema has no table ${name}.`);
    return codec;
  }

  /** The description of docs/internals.md, section 2. */
  describe(): unknown {
    const { tables, validate } = this.schema;
    const validates = validate !== undefined || tables.some((table) => table.validate);
    return {
      version: this.schema.version,
      accepts: this.schema.accepts,
      ...(validates ? { validates } : {}),
      tables: this.schema.tables.map((table, index) => ({
        name: table.name,
        was: formerNames(table),
        ids: table.ids,
        autosubscribe: table.autosubscribe,
        props: table.props.map((prop) => describeProp(prop, this.tables[index] as TableCodec)),
      })),
    };
  }
}

/** None where there are none: most descriptions are as those of earlier releases of the package. */
function formerNames({ was }: NamedDef): unknown {
  return was.length > 0 ? was : undefined;
}

function describeProp(prop: PropDef & NamedDef, codec: TableCodec): unknown {
  return {
    name: prop.name,
    was: formerNames(prop),
    type: prop.type,
    optional: prop.optional,
    default:
      prop.fallback === undefined
        ? undefined
        : describeDefault(codec.toPlain(prop.name, prop.fallback)),
    index: prop.index,
    unique: prop.unique,
    enum: prop.enumeration && { type: prop.enumeration.type, values: prop.enumeration.values },
    class: prop.codec && { type: prop.codec.type, version: prop.codec.version },
    ref: prop.ref,
  };
}

/** A description is JSON as well: the server gets it as text. */
function describeDefault(plain: unknown): unknown {
  return isBytes(plain) ? { $type: 'bytes', v: toBase64(plain) } : plain;
}

/** A value whose prop the schema lacks, in the form that conflicts hold: envelopes, and bytes. */
function unknownValue(registry: TypeRegistry, value: unknown): unknown {
  return isBytes(value) ? value : registry.decode(value);
}

/** What fails inside of a value knows neither its table nor its prop. The application's own errors stay as they are. */
function named<T>(where: string, convert: () => T): T {
  try {
    return convert();
  } catch (error) {
    if (error instanceof ValidationError || error instanceof LimitError) {
      const ErrorOfKind = error instanceof LimitError ? LimitError : ValidationError;
      throw new ErrorOfKind(error.code as ErrorCode, `${where}: ${error.message}`, {
        cause: error,
      });
    }
    throw error;
  }
}

function same(value: unknown): unknown {
  return value;
}

function systemCodec(name: (typeof systemColumns)[number]): PropCodec {
  if (name === 'id' || name === 'realm') return { name, toPlain: same, fromPlain: same };
  return {
    name,
    toPlain: (value) => dateOf(value, name),
    fromPlain: (ms) => new Date(ms as number),
  };
}

function dateOf(value: unknown, where: string): number {
  if (isDate(value)) return named(where, () => dateToMs(value));
  throw new ValidationError('wrong_type', `${where} takes a Date, and ${nameOf(value)} came.`);
}

function propCodec(table: string, name: string, prop: PropDef, registry: TypeRegistry): PropCodec {
  const where = `${table}.${name}`;
  switch (prop.type) {
    case 'date':
      return {
        name,
        isDate: true,
        toPlain: (value) => dateOf(value, where),
        fromPlain: (ms) => new Date(ms as number),
      };
    case 'bytes':
      // A copy, because the application may change what it gave, a filter's value, say.
      return {
        name,
        toPlain: (value) => copyBytes(expectBytes(value, where)),
        fromPlain: (bytes) => bytes,
      };
    case 'json':
      return {
        name,
        toPlain: (value) => named(where, () => registry.encode(value)),
        fromPlain: (json) => registry.decode(json),
      };
    case 'enum':
      return enumCodec(name, where, prop);
    case 'class':
      return classCodec(name, where, prop, registry);
    default:
      return { name, toPlain: same, fromPlain: same };
  }
}

function expectBytes(value: unknown, where: string): Uint8Array {
  if (isBytes(value)) return value;
  throw new ValidationError(
    'wrong_type',
    `${where} takes a Uint8Array, and ${nameOf(value)} came.`,
  );
}

function enumCodec(name: string, where: string, prop: PropDef): PropCodec {
  const members = prop.enumeration?.members;
  if (!members) return { name, toPlain: same, fromPlain: same };
  const names = new Map([...members].map(([key, member]) => [member, key]));
  return {
    name,
    toPlain: (value) => {
      if (value instanceof UnknownValue && value.type === prop.enumeration?.type)
        return value.envelope['v'];
      const key = names.get(value as object);
      if (key === undefined)
        throw new ValidationError(
          'wrong_type',
          `${where} takes one of the members of its enum, and ${nameOf(value)} came.`,
        );
      return key;
    },
    // The core admits no name that the schema lacks; in the inbox there may be one of another schema.
    fromPlain: (key) =>
      members.get(key as string) ??
      new UnknownValue(String(prop.enumeration?.type), { $type: prop.enumeration?.type, v: key }),
  };
}

function classCodec(name: string, where: string, prop: PropDef, registry: TypeRegistry): PropCodec {
  const codec = prop.codec as NonNullable<PropDef['codec']>;
  return {
    name,
    toPlain: (value) => named(where, () => registry.encodeClass(codec, value)),
    fromPlain: (plain) => registry.decodeClass(codec, plain as Record<string, unknown>),
  };
}
