// Typed tables in a test: an empty database, the tables of a schema, rows written into them, a schema that grows.

import { type Database, Params } from '../../../server/src/db/database.ts';
import { applySchema } from '../../../server/src/sql/apply-schema.ts';
import type { SchemaDescription } from '../../../server/src/sql/description.ts';
import { withLeftColumns } from '../../../server/src/sql/left-columns.ts';
import { migrate } from '../../../server/src/sql/migrations.ts';
import { writingRows } from '../../../server/src/sql/rows.ts';
import { sqlSchema } from '../../../server/src/sql/tables.ts';
import { testSchema } from './schemas.ts';

/** Makes the database empty, except for Skerry's own tables, without rows. */
export async function makeEmpty(db: Database): Promise<void> {
  await db.execute(
    `drop schema if exists skerry cascade; drop schema public cascade; create schema public`,
  );
  await migrate(db);
}

export function apply(db: Database, schema: SchemaDescription): Promise<void> {
  return db.transaction({ mode: 'write' }, (tx) => applySchema(tx, schema, sqlSchema(schema)));
}

/** A copy of the test schema with the props of `cities` changed. */
export function withCities(
  change: (props: Record<string, unknown>[]) => unknown[],
): SchemaDescription {
  const copy = structuredClone(testSchema) as unknown as {
    tables: { name: string; props: Record<string, unknown>[] }[];
  };
  const cities = copy.tables.find(({ name }) => name === 'cities')!;
  cities.props = change(cities.props) as Record<string, unknown>[];
  return copy as unknown as SchemaDescription;
}

/** The realms of the rows written here. */
export const locked = ['public', 'team'];

export async function writeRows(
  db: Database,
  rows: readonly { table: string; [member: string]: unknown }[],
): Promise<void> {
  const params = new Params();
  const tables = [...new Set(rows.map(({ table }) => table))].map((table) => ({
    table,
    list: JSON.stringify(rows.filter((row) => row.table === table)),
  }));
  const schema = await withLeftColumns(db, sqlSchema(testSchema));
  const { members, check } = writingRows(schema, tables, rows.length, locked, params);
  await db.query(`with ${members.join(',')} select ${check}::text as written`, params.values);
}

export const full = {
  table: 'cities',
  id: 'Åre',
  realm: 'public',
  createdAt: 1760000000123,
  modifiedAt: -62135596800001.5,
  revision: 57,
  deletedAt: null,
  movedTo: null,
  props: {
    name: 'Å"r\\e\n😀',
    country: null,
    population: 0.1,
    capital: true,
    foundedOn: 8.64e15,
    flag: 'AP8=',
    size: 'm',
    extra: { b: [null, { a: 1e-7 }], a: 'x' },
    code: 'x'.repeat(5000),
    revision: 3,
  },
};
