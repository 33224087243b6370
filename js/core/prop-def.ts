/**
 * A schema at run time: tables and props as data. js/api/schema.ts builds it from the application's
 * declarations; everything below js/api works with these.
 */
export type PropType =
  | 'string'
  | 'number'
  | 'boolean'
  | 'date'
  | 'bytes'
  | 'enum'
  | 'ref'
  | 'json'
  | 'class';

/** How values of a class of the application are stored, and restored from whatever version they were stored by. */
export interface ClassCodec {
  readonly type: string;
  readonly version: number;
  /** The constructor, if the schema names it: needed only to recognise instances inside of json. */
  readonly instances?: (abstract new (...args: never[]) => object) | undefined;
  to(value: unknown): unknown;
  from(json: unknown, version: number): unknown;
  info?(value: unknown): string;
}

export interface EnumDef {
  /** Null: a union of strings. Else the name under which the instances are stored. */
  readonly type: string | null;
  readonly values: readonly string[];
  readonly members: ReadonlyMap<string, object> | null;
}

export type OnDelete = 'cascade' | 'setNull' | 'restrict';

/** A name in the releases before the version that has given it another one. */
export interface FormerName {
  readonly name: string;
  readonly until: number;
}

export interface PropDef {
  readonly type: PropType;
  readonly optional: boolean;
  /** In the application's form; undefined where there is none. */
  readonly fallback: unknown;
  readonly index: boolean;
  readonly unique: boolean;
  readonly enumeration?: EnumDef | undefined;
  readonly codec?: ClassCodec | undefined;
  readonly ref?:
    | { readonly table: string; readonly onDelete: OnDelete | null; readonly touch: boolean }
    | undefined;
}

/** The rows of each table by its name, to read. */
// biome-ignore lint/suspicious/noExplicitAny: the public types say what it has (js/api/types.ts).
type AnyReader = any;
/** A rule of the application about one row: a sentence says what is wrong. */
export type TableRule = (row: AnyReader, reader: AnyReader) => unknown;
/** The same about several: a list of problems. */
export type SchemaRule = (reader: AnyReader, changed: AnyReader) => unknown;

/** What has a name. */
export interface NamedDef {
  readonly name: string;
  /** The oldest first. */
  readonly was: FormerName[];
}

export interface TableDef extends NamedDef {
  /** By its place in the schema: the number by which the core names it. */
  readonly index: number;
  readonly ids: 'uuid' | 'string';
  readonly autosubscribe: boolean;
  readonly validate?: TableRule | undefined;
  readonly props: readonly (PropDef & NamedDef)[];
  readonly byName: ReadonlyMap<string, PropDef & NamedDef>;
}

export interface SchemaDef {
  readonly version: number;
  readonly accepts: readonly number[];
  readonly tables: readonly TableDef[];
  readonly byName: ReadonlyMap<string, TableDef>;
  readonly validate?: SchemaRule | undefined;
}

/** Columns of every row, in this order before the props. */
export const systemColumns = ['id', 'realm', 'createdAt', 'modifiedAt'] as const;
