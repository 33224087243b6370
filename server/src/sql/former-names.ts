// The names that tables and props had in earlier releases (`was` in the schema's description). What is stored, or asked for,
// under one of them is found by it.

import type { NamedDescription, SchemaDescription, TableDescription } from './description.ts';

/** What a release of this version calls it. */
export function nameAt({ name, was = [] }: NamedDescription, version: number): string {
  return was.find(({ until }) => version < until)?.name ?? name;
}

/** What has the name, or had it. */
export function findNamed<T extends NamedDescription>(
  list: readonly T[],
  name: string,
): T | undefined {
  return (
    list.find((each) => each.name === name) ??
    list.find(({ was = [] }) => was.some((former) => former.name === name))
  );
}

function inNamesOf(
  present: TableDescription,
  former: TableDescription,
  version: number,
): TableDescription {
  const names = new Map(present.props.map((prop) => [nameAt(prop, version), prop.name]));
  return {
    ...former,
    name: present.name,
    props: former.props.map((prop) => ({ ...prop, name: names.get(prop.name) ?? prop.name })),
  };
}

/** The schema of an earlier release, with the names of this one. */
export function inPresentNames(
  former: SchemaDescription,
  schema: SchemaDescription,
): SchemaDescription {
  const tables = new Map(schema.tables.map((table) => [nameAt(table, former.version), table]));
  return {
    ...former,
    tables: former.tables.map((table) => {
      const present = tables.get(table.name);
      return present === undefined ? table : inNamesOf(present, table, former.version);
    }),
  };
}
