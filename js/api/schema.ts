/**
 * `t`, `table`, `schema`, `defineMutators`: how an application declares its data. The declarations carry their types for
 * inference (types.ts) and, beside them, the run-time definition that everything else works with.
 */
import { isBytes, isDate, nameOf } from '../core/brand.ts';
import { checkFunction, refuseUnknown, SchemaError } from '../core/errors.ts';
import { membersDef } from '../core/members.ts';
import { copyOf } from '../core/mutable-copy.ts';
import type {
  ClassCodec,
  EnumDef,
  OnDelete,
  PropDef,
  PropType,
  SchemaDef,
  TableDef,
} from '../core/prop-def.ts';
import type { TypeRegistry } from '../core/special-json.ts';
import { SchemaCodec } from '../core/values.ts';
import { type Migrations, noteFormerNames } from './migrations.ts';
import type {
  AnyProp,
  Bytes,
  ChangedRow,
  CheckTables,
  ClassOptions,
  FoundProblem,
  Json,
  Mutators,
  Prop,
  Props,
  ReadersOf,
  RefOptions,
  ReservedPropName,
  ReservedTableName,
  Schema,
  Table,
  TableOptions,
  Tables,
} from './types.ts';

const propDefs = new WeakMap<object, PropDef>();
const tableDefs = new WeakMap<object, { props: Props; options: TableOptions }>();
const schemaDefs = new WeakMap<object, SchemaDef>();

function makeProp(definition: PropDef): AnyProp {
  const prop = {
    optional: () => makeProp({ ...definition, optional: true }),
    default: (value: unknown) => {
      checkDefault(definition, value);
      return makeProp({ ...definition, fallback: copyOf(value) });
    },
    index: (options?: { unique?: boolean }) =>
      makeProp({ ...definition, index: true, unique: options?.unique ?? definition.unique }),
  };
  propDefs.set(prop, definition);
  return Object.freeze(prop) as unknown as AnyProp;
}

/** Whether a value is of a type; of the others only the core knows. */
const fits: Partial<Readonly<Record<PropType, (value: unknown, prop: PropDef) => boolean>>> = {
  string: (value) => typeof value === 'string',
  ref: (value) => typeof value === 'string',
  number: Number.isFinite,
  boolean: (value) => typeof value === 'boolean',
  date: isDate,
  bytes: isBytes,
  enum: (value, { enumeration }) =>
    enumeration?.members
      ? [...enumeration.members.values()].includes(value as object)
      : enumeration?.values.includes(value as string) === true,
};

/** Where it is written, and not when a database is opened. */
function checkDefault(prop: PropDef, value: unknown): void {
  if (fits[prop.type]?.(value, prop) === false && !(value === null && prop.optional))
    throw new SchemaError(
      'schema',
      `default(): this is none of type ${prop.type}: ${nameOf(value)}.`,
    );
}

function plainProp(type: PropType, more: Partial<PropDef> = {}): AnyProp {
  return makeProp({
    type,
    optional: false,
    fallback: undefined,
    index: false,
    unique: false,
    ...more,
  });
}

function enumProp(
  first: string | readonly string[],
  members?: Readonly<Record<string, object>>,
): AnyProp {
  let enumeration: EnumDef;
  if (typeof first === 'string') {
    const entries = Object.entries(members ?? {});
    if (entries.some(([, member]) => typeof member !== 'object' || member === null)) {
      throw new SchemaError('schema', `Enum ${first}: its members must be objects.`);
    }
    enumeration = { type: first, values: entries.map(([name]) => name), members: new Map(entries) };
  } else enumeration = { type: null, values: [...first], members: null };
  if (
    new Set(enumeration.values).size !== enumeration.values.length ||
    enumeration.values.length === 0
  ) {
    throw new SchemaError('schema', 'An enum needs members, each once.');
  }
  return plainProp('enum', { enumeration });
}

function classProp(type: string, options: ClassOptions<never>): AnyProp {
  const version = options.version ?? 1;
  if (!Number.isInteger(version) || version < 1)
    throw new SchemaError('schema', `Class ${type}: version is 1, 2, 3 …`);
  const codec: ClassCodec = {
    type,
    version,
    instances: options.class,
    to: (value) => options.to(value as never),
    from: (json, stored) => options.from(json, stored),
    ...(options.info ? { info: (value: unknown) => options.info?.(value as never) ?? '' } : {}),
  };
  return plainProp('class', { codec });
}

function refProp(table: string, options: RefOptions = {}): AnyProp {
  const onDelete: OnDelete | null = options.onDelete ?? null;
  return plainProp('ref', { index: true, ref: { table, onDelete, touch: options.touch ?? false } });
}

interface PropTypes {
  string(): Prop<string>;
  number(): Prop<number>;
  boolean(): Prop<boolean>;
  date(): Prop<Date>;
  /** Rows hold a `Uint8Array` over an `ArrayBuffer` of its own, which a `Blob` takes; any `Uint8Array` is taken. */
  bytes(): Prop<Bytes, Uint8Array>;
  json<T = Json>(): Prop<T>;
  /** A union of strings. */
  enum<const V extends readonly string[]>(values: V): Prop<V[number]>;
  /** Instances, stored by name and restored to the same objects. */
  enum<T extends object>(type: string, members: Readonly<Record<string, T>>): Prop<T>;
  /** Objects of a class of the application's own. */
  class<T>(type: string, options: ClassOptions<T>): Prop<T>;
  ref<R extends string>(table: R, options?: RefOptions): Prop<string, string, R>;
}

/** The types of props. */
export const t: PropTypes = /* @__PURE__ */ Object.freeze({
  string: () => plainProp('string'),
  number: () => plainProp('number'),
  boolean: () => plainProp('boolean'),
  date: () => plainProp('date'),
  bytes: () => plainProp('bytes'),
  json: () => plainProp('json'),
  enum: enumProp,
  class: classProp,
  ref: refProp,
}) as unknown as PropTypes;

// biome-ignore lint/complexity/noBannedTypes: no options are exactly {}: no id means ids made by the client.
export function table<P extends Props, O extends TableOptions<P> = {}>(
  props: P,
  options?: O & TableOptions<P>,
): Table<P, O> {
  refuseUnknown(options ?? {}, ['id', 'autosubscribe', 'validate'], 'table()');
  checkRule(options?.validate, 'table()');
  const result = Object.freeze({});
  tableDefs.set(result, { props, options: (options ?? {}) as TableOptions });
  return result as Table<P, O>;
}

/** A rule that is there must be a function. */
function checkRule(rule: unknown, where: string): void {
  if (rule !== undefined) checkFunction(rule, `${where}: validate`);
}

export interface SchemaOptions<T extends Tables = Tables> {
  /** Raise it with every change that an older client could not read. */
  version: number;
  /** Older versions of stored data and of servers that this one can still read. */
  accepts?: readonly number[];
  /** What releases have renamed, by the version that did: `{ 2: (m) => m.table('cities').renameProp('pop', 'population') }`. */
  migrations?: Migrations;
  /**
   * A rule about several rows. It is asked about rows that have changed or are gone, at most a hundred at a time, and again about
   * those that it has found wrong before: its answer lists all that is wrong with these, in sentences. It only reads.
   */
  validate?(
    reader: ReadersOf<T>,
    changed: readonly ChangedRow<T>[],
    // biome-ignore lint/suspicious/noConfusingVoidType: it may return nothing.
  ): readonly FoundProblem<T>[] | null | undefined | void;
}

export function schema<T extends Tables>(
  tables: T & CheckTables<T>,
  options: SchemaOptions<T>,
): Schema<T> {
  refuseUnknown(options ?? {}, ['version', 'accepts', 'migrations', 'validate'], 'schema()');
  const { version, accepts = [], migrations = {}, validate } = options ?? {};
  checkRule(validate, 'schema()');
  if (!Number.isInteger(version) || version < 1)
    throw new SchemaError('schema', 'A schema version is 1, 2, 3 …');
  const list = Object.entries(tables).map(([name, declared], index) =>
    tableDef(name, declared as Table, index),
  );
  const byName = new Map(list.map((definition) => [definition.name, definition]));
  for (const definition of list) checkRefs(definition, byName);
  checkTypes(list);
  const members = membersDef(list.length);
  list.push(members);
  byName.set(members.name, members);
  noteFormerNames(list, version, migrations);
  const definition: SchemaDef = { version, accepts: [...accepts], tables: list, byName, validate };
  let made: TypeRegistry | null = null;
  const registry = () => {
    made ??= new SchemaCodec(definition).registry;
    return made;
  };
  const result = Object.freeze({
    version,
    toJSON: () => new SchemaCodec(definition).describe(),
    toInfo: (value: unknown) => registry().info(value),
    // For skerry-server, which reduces streams, too (server/src/stream/reducers.ts).
    [Symbol.for('skerry.values')]: registry,
    // And asks its rules (server/src/rules).
    [Symbol.for('skerry.schema')]: () => definition,
  });
  schemaDefs.set(result, definition);
  return result as unknown as Schema<T>;
}

/** Returns the mutators unchanged. It types them where they are declared apart from `open`. */
export function defineMutators<T extends Tables, M extends Mutators<T>>(
  _schema: Schema<T>,
  mutators: M & Mutators<T>,
): M {
  return mutators;
}

/** The run-time definition of a schema made by `schema`. */
export function schemaDef(declared: Schema): SchemaDef {
  const definition = schemaDefs.get(declared);
  if (!definition)
    throw new SchemaError('schema', 'Make the schema with schema(tables, { version }).');
  return definition;
}

export const reservedTables: Readonly<Record<ReservedTableName, true>> = {
  name: true,
  user: true,
  mutate: true,
  transact: true,
  replay: true,
  sync: true,
  conflicts: true,
  problems: true,
  realms: true,
  stream: true,
  lock: true,
  undo: true,
  redo: true,
  canUndo: true,
  canRedo: true,
  on: true,
  export: true,
  import: true,
  logout: true,
  close: true,
  // biome-ignore lint/suspicious/noThenProperty: it is the name that is refused.
  then: true,
  constructor: true,
  toString: true,
  ['__proto__']: true,
};
export const reservedProps: Readonly<Record<ReservedPropName, true>> = {
  id: true,
  realm: true,
  createdAt: true,
  modifiedAt: true,
  ['__proto__']: true,
};

function tableDef(name: string, declared: Table, index: number): TableDef {
  checkName(name, 'table');
  if (Object.hasOwn(reservedTables, name))
    throw new SchemaError('schema', `A table cannot be named ${name}.`);
  const definition = tableDefs.get(declared);
  if (!definition) throw new SchemaError('schema', `Make table ${name} with table(props).`);
  const { options } = definition;
  const props = Object.entries(definition.props).map(([propName, prop]) => {
    checkName(propName, `prop of ${name}`);
    if (Object.hasOwn(reservedProps, propName)) {
      throw new SchemaError('schema', `A prop cannot be named ${propName} (table ${name}).`);
    }
    const found = propDefs.get(prop);
    if (!found) throw new SchemaError('schema', `Make prop ${name}.${propName} with t.`);
    return { name: propName, was: [], ...found };
  });
  if (options.id && propDefs.get(options.id)?.type !== 'string') {
    throw new SchemaError('schema', `Table ${name}: id can only be t.string().`);
  }
  return {
    name,
    was: [],
    index,
    ids: options.id ? 'string' : 'uuid',
    autosubscribe: options.autosubscribe ?? false,
    validate: options.validate,
    props,
    byName: new Map(props.map((prop) => [prop.name, prop])),
  };
}

function checkName(name: string, what: string): void {
  if (/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(name)) return;
  throw new SchemaError(
    'schema',
    `"${name}" cannot be the name of a ${what}: letters, digits and _, at most 63.`,
  );
}

function checkRefs(definition: TableDef, byName: ReadonlyMap<string, TableDef>): void {
  for (const prop of definition.props) {
    if (!prop.ref) continue;
    if (!byName.has(prop.ref.table)) {
      throw new SchemaError(
        'schema',
        `${definition.name}.${prop.name} refers to ${prop.ref.table}, which is no table.`,
      );
    }
    if (prop.ref.onDelete === 'setNull' && !prop.optional) {
      throw new SchemaError(
        'schema',
        `${definition.name}.${prop.name}: setNull needs .optional().`,
      );
    }
  }
}

/** One registered name is one enum or one class, over the whole schema. */
function checkTypes(tables: readonly TableDef[]): void {
  const seen = new Map<string, unknown>();
  for (const prop of tables.flatMap((definition) => definition.props)) {
    const name = prop.codec?.type ?? prop.enumeration?.type ?? null;
    if (name === null) continue;
    if (name === 'date' || name === 'bytes' || name === '')
      throw new SchemaError('schema', `"${name}" is no name for a type.`);
    const identity =
      prop.codec?.from === undefined ? JSON.stringify(prop.enumeration?.values) : 'class';
    if (seen.has(name) && seen.get(name) !== identity)
      throw new SchemaError('schema', `Two types are named ${name}.`);
    seen.set(name, identity);
  }
}
