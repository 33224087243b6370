// How existing tables become tables of Skerry, or what stands in the way. Nothing is changed here.
//
// An adopted table stays as it is, with one column more: the id by which clients know its rows. Beside it there is a table of
// Skerry with the same rows, and triggers on both carry each change to the other (mirror.ts).

import type { Queryable } from '../db/database.ts';
import type { AdoptedNames } from '../sql/adopted-names.ts';
import type { PropType } from '../sql/description.ts';
import { type CatalogColumn, type CatalogTable, readCatalog } from './catalog.ts';
import { propTypeOf } from './prop-types.ts';
import { type RealmRule, realmRule, usedColumns, withoutCycles } from './realm-rule.ts';
import { schemaPropName, schemaRefName, schemaTableName } from './schema-names.ts';

/** What is asked for. */
export interface AdoptedName {
  readonly table: string;
  /**
   * The realm of a row: `user:{owner_id}`, with names of columns in braces; or a single column that refers to another adopted table, whose
   * row's realm it is.
   */
  readonly realm: string;
}

export interface AdoptedProp {
  readonly prop: string;
  readonly column: string;
  readonly type: PropType;
  readonly isOptional: boolean;
  readonly members: readonly string[];
  /**
   * It refers to another adopted table. It has a rule only if both rows are always in the same realm: in another realm there seems to be
   * nothing to which it refers, and its row would be deleted.
   */
  readonly ref?: {
    readonly table: string;
    readonly onDelete: 'cascade' | 'setNull' | 'restrict' | null;
  };
}

export interface AdoptedTable extends AdoptedNames {
  readonly table: string;
  readonly key: string;
  readonly realm: RealmRule;
  readonly props: readonly AdoptedProp[];
}

export interface AdoptionPlan {
  readonly tables: readonly AdoptedTable[];
  /** Each is a sentence. If there is one, nothing can be done. */
  readonly problems: readonly string[];
  /** What is worth knowing. */
  readonly notes: readonly string[];
}

/** The column that is added. */
export const kIdColumn = 'skerry_id';

/** Of longer names there would be none for what stands beside the table. */
const kTableBytes = 45;

/** What cannot be adopted, and why. */
function classProblem(table: CatalogTable): string | null {
  const { name, kind, key } = table;
  const kinds: Readonly<Record<string, string>> = {
    p: 'is partitioned: only ordinary tables can be adopted.',
    v: 'is a view: only ordinary tables can be adopted.',
    m: 'is a materialized view: only ordinary tables can be adopted.',
    f: 'is a foreign table: only ordinary tables can be adopted.',
  };
  const reasons: readonly (readonly [boolean, string])[] = [
    [kind !== 'r', kinds[kind] ?? ''],
    [table.isPartition, 'is a partition: only ordinary tables can be adopted.'],
    [table.isInherited, 'has tables that inherit from it, whose rows its triggers would not see.'],
    [table.isUnlogged, 'is unlogged: after a crash it is empty, and clients would keep its rows.'],
    [table.hasRules, 'has rules (create rule), by which a write may do something else.'],
    [key.length === 0, 'has no primary key, by which its rows could be known.'],
    [
      key.length > 1,
      `has a primary key of several columns (${key.join(', ')}): only tables with a key of one column can be adopted.`,
    ],
    [table.hasRowSecurity, 'has FORCE ROW LEVEL SECURITY, which hides rows from the triggers.'],
    [
      table.columns.some((column) => column.name === kIdColumn),
      `has a column ${kIdColumn} already: it is adopted, or was.`,
    ],
    [Buffer.byteLength(name) > kTableBytes, `has a name of more than ${kTableBytes} bytes.`],
    [
      schemaTableName(name) === null,
      'cannot be a name in a schema: it has other characters than letters, digits and _.',
    ],
  ];
  const found = reasons.find(([is]) => is);
  return found === undefined ? null : `${name} ${found[1]}`;
}

/** What there is besides the tables that are to be adopted. */
interface Surroundings {
  /** Adopted before. */
  readonly earlier: readonly AdoptedTable[];
  /** Other tables of the schema that is served. */
  readonly served: readonly string[];
}

interface Target {
  readonly name: string;
  readonly key: string;
  readonly realm: RealmRule;
}

class Planner {
  readonly #catalog: ReadonlyMap<string, CatalogTable>;
  readonly #around: Surroundings;
  /** By table: what is adopted, or will be. */
  readonly #targets = new Map<string, Target>();
  readonly problems: string[] = [];
  readonly notes: string[] = [];

  constructor(catalog: ReadonlyMap<string, CatalogTable>, around: Surroundings) {
    this.#catalog = catalog;
    this.#around = around;
    for (const { table, ...target } of around.earlier) this.#targets.set(table, target);
  }

  plan(names: readonly AdoptedName[]): AdoptedTable[] {
    const adoptable = new Set([
      ...this.#targets.keys(),
      ...names.flatMap(({ table }) => (this.#catalog.has(table) ? table : [])),
    ]);
    const tables = names.flatMap((name, i) => {
      const isAgain = names.findIndex(({ table }) => table === name.table) < i;
      const table = this.#catalog.get(name.table);
      const problem = isAgain
        ? `${name.table} is named twice.`
        : table === undefined
          ? `${name.table}: there is no such table in the schema public.`
          : classProblem(table);
      if (problem !== null || table === undefined) return this.#no(problem ?? '');
      const realm = realmRule(table, name.realm, adoptable);
      if (typeof realm === 'string') return this.#no(realm);
      const target = {
        ...{ name: schemaTableName(table.name) as string, key: table.key[0] as string, realm },
      };
      this.#targets.set(table.name, target);
      return [{ table, ...target }];
    });
    this.problems.push(...withoutCycles(this.#targets));
    this.#checkNames(tables.map(({ table, name }) => ({ table: table.name, name })));
    return tables.map(({ table, name, key, realm }) => ({
      ...{ table: table.name, name, mirror: `skerry_${table.name}`, key, realm },
      props: this.#propsOf(table, realm),
    }));
  }

  #no(problem: string): [] {
    this.problems.push(problem);
    return [];
  }

  /** Each table has a name of its own in the schema. */
  #checkNames(tables: readonly { readonly table: string; readonly name: string }[]): void {
    const { earlier, served } = this.#around;
    const taken = new Map<string, string>([
      ...served.map((name) => [name, 'a table of the schema that is served'] as const),
      ...earlier.map(({ table, name }) => [name, `${table}, which is adopted already`] as const),
    ]);
    for (const { table, name } of tables) {
      const other = taken.get(name);
      if (other !== undefined) this.#no(`${table} would be ${name} in the schema, as is ${other}.`);
      else if (name !== table && name.endsWith('_'))
        this.notes.push(
          `${table} is ${name} in the schema, where its own name has another meaning.`,
        );
      taken.set(name, table);
    }
  }

  #propsOf(table: CatalogTable, realm: RealmRule): AdoptedProp[] {
    const used = usedColumns(realm);
    // A key that the database does not make is a prop, so that clients can create rows.
    const isMade = ({ hasDefault, isGenerated }: CatalogColumn) => hasDefault || isGenerated;
    const props = table.columns
      .filter((column) => !used.includes(column.name))
      .filter((column) => column.name !== table.key[0] || !isMade(column))
      .flatMap((column) => this.#propOf(table, column, realm));
    const byName = new Map<string, string[]>();
    for (const { prop, column } of props) byName.set(prop, [...(byName.get(prop) ?? []), column]);
    for (const [prop, columns] of byName) {
      if (columns.length > 1)
        this.#no(
          `${table.name}: the columns ${columns.join(' and ')} would both be the prop ${prop}: rename one.`,
        );
    }
    return props;
  }

  /** A column that no prop can hold is left out, if a new row does not need it. */
  #without(name: string, why: string, isNeeded: boolean): [] {
    if (isNeeded) return this.#no(`${name} ${why}, and a new row needs it.`);
    this.notes.push(`${name} ${why}: clients do not get it.`);
    return [];
  }

  #propOf(table: CatalogTable, column: CatalogColumn, realm: RealmRule): AdoptedProp[] {
    const name = `${table.name}.${column.name}`;
    const isNeeded = column.isRequired && !column.hasDefault && !column.isGenerated;
    const type = propTypeOf(column);
    if (column.isGenerated) return this.#without(name, 'is computed', false);
    if (type === null)
      return this.#without(name, `is of the type ${column.type}, which no prop can hold`, isNeeded);
    const ref = this.#refOf(table, column, realm);
    const prop = ref === undefined ? schemaPropName(column.name) : schemaRefName(column.name);
    if (prop === null) return this.#without(name, 'has a name that no prop can have', isNeeded);
    if (prop.endsWith('_') && !column.name.endsWith('_'))
      this.notes.push(
        `${name} is the prop ${prop}: every row has a ${prop.slice(0, -1)} of its own.`,
      );
    const common = { prop, column: column.name, isOptional: !isNeeded };
    if (ref === undefined) return [{ ...common, type, members: column.members }];
    return [{ ...common, type: 'ref', members: [], ref }];
  }

  #refOf(table: CatalogTable, column: CatalogColumn, realm: RealmRule): AdoptedProp['ref'] {
    const key = table.foreignKeys.find((each) => each.column === column.name);
    const target = key && this.#targets.get(key.target);
    if (key === undefined || target === undefined || target.key !== key.targetColumn)
      return undefined;
    const isParent = realm.kind === 'parent' && realm.column === column.name;
    const isConstant = realm.kind === 'template' && realm.parts.length === 1;
    const isSame = isConstant && JSON.stringify(realm) === JSON.stringify(target.realm);
    const setsNull = key.onDelete === 'n';
    // Without its parent a row would be in no realm; and null is no value of a required column.
    const hasRule = (isParent && !setsNull) || (isSame && !(setsNull && column.isRequired));
    const rules = { c: 'cascade', n: 'setNull' } as const;
    const onDelete = rules[key.onDelete as keyof typeof rules] ?? 'restrict';
    return { table: target.name, onDelete: hasRule ? onDelete : null };
  }
}

/** Reads what there is, and says what would be done. */
export async function planAdoption(
  tx: Queryable,
  names: readonly AdoptedName[],
  around: Surroundings,
): Promise<AdoptionPlan> {
  const catalog = new Map<string, CatalogTable>();
  for (const { table } of names) {
    const read = await readCatalog(tx, table);
    if (read !== null) catalog.set(table, read);
  }
  const planner = new Planner(catalog, around);
  const tables = planner.plan(names);
  return { tables, problems: planner.problems, notes: planner.notes };
}
