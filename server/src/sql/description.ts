// The schema's description (docs/internals.md section 2) for the server, checked on arrival. The core parses the same
// text and makes all decisions; the server needs it for tables, columns and filters.

import { isObject } from '../base/json.ts';

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

/** A name in the releases before the version that has given it another one. */
export interface NameBefore {
  readonly name: string;
  readonly until: number;
}

export interface NamedDescription {
  readonly name: string;
  /** The oldest first. */
  readonly was?: readonly NameBefore[];
}

export interface PropDescription extends NamedDescription {
  readonly type: PropType;
  readonly optional?: boolean;
  readonly default?: unknown;
  readonly index?: boolean;
  readonly unique?: boolean;
  readonly ref?: {
    readonly table: string;
    readonly onDelete?: 'cascade' | 'setNull' | 'restrict' | null;
    readonly touch?: boolean;
  };
  readonly enum?: { readonly values: readonly string[] };
  readonly class?: { readonly type: string };
}

export interface TableDescription extends NamedDescription {
  readonly ids?: 'uuid' | 'string';
  readonly autosubscribe?: boolean;
  readonly props: readonly PropDescription[];
}

export interface SchemaDescription {
  readonly version: number;
  readonly accepts?: readonly number[];
  readonly tables: readonly TableDescription[];
}

export class SchemaError extends Error {}

const propTypes = new Set<string>([
  'string',
  'number',
  'boolean',
  'date',
  'bytes',
  'enum',
  'ref',
  'json',
  'class',
]);

function isProp(value: unknown): value is PropDescription {
  return isObject(value) && typeof value.name === 'string' && propTypes.has(String(value.type));
}

function isTable(value: unknown): value is TableDescription {
  return (
    isObject(value) &&
    typeof value.name === 'string' &&
    Array.isArray(value.props) &&
    value.props.every(isProp)
  );
}

/** Checks the form of a description. The core checks whether it is consistent. */
export function checkDescription(value: unknown): SchemaDescription {
  if (
    !isObject(value) ||
    !Number.isInteger(value.version) ||
    !Array.isArray(value.tables) ||
    !value.tables.every(isTable)
  ) {
    throw new SchemaError(
      'The schema module must export, as default or as `app`, the result of schema() of the package `skerry`.',
    );
  }
  return value as unknown as SchemaDescription;
}
