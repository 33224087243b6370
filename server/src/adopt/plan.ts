// How existing tables become tables of Skerry, or what stands in the way. Nothing is changed here.
//
// An adopted table stays as it is, with one column more: the id by which clients know its rows. Beside it there is a table of
// Skerry with the same rows, and triggers on both carry each change to the other (mirror.ts).

import type { Queryable } from '../db/database.ts';
import type { PropType } from '../sql/description.ts';
import { quoteName, quoteText } from '../sql/names.ts';
import { type CatalogColumn, type CatalogTable, readCatalog } from './catalog.ts';

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
  /** It refers to another adopted table. */
  readonly ref?: { readonly table: string; readonly onDelete: 'cascade' | 'setNull' | 'restrict' };
}

export type RealmRule =
  /** Texts and columns in turn, beginning with a text. */
  | { readonly kind: 'template'; readonly parts: readonly string[] }
  /** That of the row to which this column refers. */
  | {
      readonly kind: 'parent';
      readonly column: string;
      readonly target: string;
      readonly targetKey: string;
    };

export interface AdoptedTable {
  readonly table: string;
  /** The name in the schema. */
  readonly name: string;
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

/** The name of the table of Skerry that stands beside an adopted one. */
export function mirrorName(table: string): string {
  return `skerry_${table}`;
}

const kKinds: Readonly<Record<string, string>> = {
  p: 'partitioned',
  v: 'a view',
  m: 'a materialized view',
  f: 'a foreign table',
};

const kNumbers = /^(smallint|integer|bigint|real|double precision)$/;
const kTexts = /^(text|character varying(\(\d+\))?|character(\(\d+\))?|citext|uuid)$/;
const kTimes = /^(timestamp(\(\d\))? with(out)? time zone|date)$/;

/** The digits of a number with a fixed number of them; null: of another type, or any number. */
function digitsOf(type: string): number | null {
  const [, digits] = /^numeric\((\d+),\d+\)$/.exec(type) ?? [];
  return digits === undefined ? null : Number(digits);
}

/** Null: no prop can hold it. */
function typeOf({ type, kind }: CatalogColumn): PropType | null {
  if (kind === 'e') return 'enum';
  if (kNumbers.test(type)) return 'number';
  // More digits would not come back as they were.
  if ((digitsOf(type) ?? 99) <= 15) return 'number';
  if (kTexts.test(type)) return 'string';
  if (kTimes.test(type)) return 'date';
  if (type === 'boolean') return 'boolean';
  if (type === 'bytea') return 'bytes';
  return type === 'json' || type === 'jsonb' ? 'json' : null;
}

export function camelCase(name: string): string {
  return name.toLowerCase().replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** `user:{owner_id}` as texts and columns in turn. */
function partsOf(template: string): string[] {
  return template.split(/\{([^{}]+)\}/);
}

class Planner {
  readonly #tables: ReadonlyMap<string, CatalogTable>;
  readonly problems: string[] = [];
  readonly notes: string[] = [];

  constructor(tables: ReadonlyMap<string, CatalogTable>) {
    this.#tables = tables;
  }

  plan({ table: name, realm }: AdoptedName): AdoptedTable | null {
    const table = this.#tables.get(name);
    if (table === undefined)
      return this.#no(`${name}: there is no such table in the schema public.`);
    const kind = kKinds[table.kind];
    if (kind !== undefined)
      return this.#no(`${name} is ${kind}: only ordinary tables can be adopted.`);
    if (table.isPartition)
      return this.#no(`${name} is a partition: only ordinary tables can be adopted.`);
    const [key, ...more] = table.key;
    if (key === undefined)
      return this.#no(`${name} has no primary key, by which its rows could be known.`);
    if (more.length > 0)
      return this.#no(
        `${name} has a primary key of several columns (${table.key.join(', ')}): only tables with a key of one column can be adopted.`,
      );
    if (table.hasRowSecurity)
      return this.#no(`${name} has FORCE ROW LEVEL SECURITY, which hides rows from the triggers.`);
    if (table.columns.some((column) => column.name === kIdColumn))
      return this.#no(`${name} has a column ${kIdColumn} already: it is adopted, or was.`);
    const rule = this.#realmOf(table, realm);
    if (rule === null) return null;
    const used = rule.kind === 'template' ? rule.parts.filter((_, i) => i % 2 === 1) : [];
    const props = table.columns
      .filter((column) => column.name !== key && !used.includes(column.name))
      .flatMap((column) => this.#propOf(table, column));
    return { table: name, name: camelCase(name), key, realm: rule, props };
  }

  #no(problem: string): null {
    this.problems.push(problem);
    return null;
  }

  #realmOf(table: CatalogTable, realm: string): RealmRule | null {
    const parts = partsOf(realm);
    if (parts.length === 1 && table.columns.some(({ name }) => name === realm)) {
      const reference = table.foreignKeys.find(({ column }) => column === realm);
      if (reference !== undefined && this.#tables.has(reference.target))
        return {
          ...{ kind: 'parent', column: realm, target: reference.target },
          targetKey: reference.targetColumn,
        };
      return { kind: 'template', parts: ['user:', realm, ''] };
    }
    for (const column of parts.filter((_, i) => i % 2 === 1)) {
      if (table.columns.some(({ name }) => name === column)) continue;
      return this.#no(`${table.name} has no column ${column}, from which the realm would be made.`);
    }
    if (realm === '')
      return this.#no(
        `${table.name} needs a realm: name the column that says whose its rows are (--realm-from).`,
      );
    return { kind: 'template', parts };
  }

  #propOf(table: CatalogTable, column: CatalogColumn): AdoptedProp[] {
    const name = `${table.name}.${column.name}`;
    const isWritten = column.isRequired && !column.hasDefault && !column.isGenerated;
    const type = typeOf(column);
    if (type === null && isWritten) {
      this.#no(
        `${name} is of the type ${column.type}, which no prop can hold, and a new row needs it.`,
      );
      return [];
    }
    if (type === null || column.isGenerated) {
      const why = column.isGenerated ? 'is computed' : `is of the type ${column.type}`;
      this.notes.push(`${name} ${why}: clients do not get it.`);
      return [];
    }
    const common = { prop: camelCase(column.name), column: column.name };
    const reference = table.foreignKeys.find((each) => each.column === column.name);
    const target = reference && this.#tables.get(reference.target);
    if (
      reference !== undefined &&
      target !== undefined &&
      target.key[0] === reference.targetColumn
    ) {
      const rules = { c: 'cascade', n: 'setNull' } as const;
      const onDelete = rules[reference.onDelete as keyof typeof rules] ?? 'restrict';
      const prop = camelCase(column.name.replace(/_id$/, ''));
      return [
        {
          ...{ prop, column: column.name, type: 'ref', members: [] },
          isOptional: !column.isRequired,
          ref: { table: camelCase(reference.target), onDelete },
        },
      ];
    }
    return [{ ...common, type, isOptional: !isWritten, members: column.members }];
  }
}

/** Reads what there is, and says what would be done. */
export async function planAdoption(
  tx: Queryable,
  names: readonly AdoptedName[],
): Promise<AdoptionPlan> {
  const found = new Map<string, CatalogTable>();
  for (const { table } of names) {
    const read = await readCatalog(tx, table);
    if (read !== null) found.set(table, read);
  }
  const planner = new Planner(found);
  const tables = names.flatMap((name) => planner.plan(name) ?? []);
  return { tables, problems: planner.problems, notes: planner.notes };
}

/** A column of the row `row`, as text, for a realm. */
export function realmExpression({ realm }: AdoptedTable, row: string): string {
  if (realm.kind === 'parent')
    return `(select p.realm from public.${quoteName(mirrorName(realm.target))} p
      where p.deleted_at is null and p.id = (
        select t.${quoteName(kIdColumn)} from public.${quoteName(realm.target)} t where t.${quoteName(realm.targetKey)} = ${row}.${quoteName(realm.column)}))`;
  const parts = realm.parts.map((part, i) =>
    i % 2 === 0 ? quoteText(part) : `${row}.${quoteName(part)}::text`,
  );
  return parts.join(' || ');
}
