// In which realm a row of an adopted table is: by a text with columns in braces, or by the row of another adopted table.

import { quoteName, quoteText } from '../sql/names.ts';
import type { CatalogTable } from './catalog.ts';

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

/** `user:{owner_id}` as texts and columns in turn. */
function partsOf(template: string): string[] {
  return template.split(/\{([^{}]+)\}/);
}

/** The columns that make the realm, and nothing else. */
export function usedColumns(realm: RealmRule): readonly string[] {
  return realm.kind === 'template' ? realm.parts.filter((_, i) => i % 2 === 1) : [];
}

/** The rule that is asked for, or a sentence that says why there is none. `adoptable`: the tables that have realms. */
export function realmRule(
  table: CatalogTable,
  asked: string,
  adoptable: ReadonlySet<string>,
): RealmRule | string {
  if (asked === '')
    return `${table.name} needs a realm: name the column that says whose its rows are (--realm-from).`;
  if (table.columns.some(({ name }) => name === asked)) {
    const reference = table.foreignKeys.find(({ column }) => column === asked);
    if (reference !== undefined && adoptable.has(reference.target))
      return {
        ...{ kind: 'parent', column: asked, target: reference.target },
        targetKey: reference.targetColumn,
      };
    return { kind: 'template', parts: ['user:', asked, ''] };
  }
  const rule = { kind: 'template', parts: partsOf(asked) } as const;
  for (const name of usedColumns(rule)) {
    const column = table.columns.find((each) => each.name === name);
    if (column === undefined)
      return `${table.name} has no column ${name}, from which the realm would be made.`;
    if (column.isGenerated)
      return `${table.name}.${name} is computed: what clients write could not change it, so no realm is made from it.`;
  }
  return rule;
}

/** A sentence for each table whose realm would be that of a row whose realm is its own. */
export function withoutCycles(
  tables: ReadonlyMap<string, { readonly realm: RealmRule }>,
): string[] {
  const isCyclic = (table: string) => {
    const seen = new Set<string>();
    for (let at: string | undefined = table; at !== undefined && !seen.has(at); ) {
      seen.add(at);
      const realm: RealmRule | undefined = tables.get(at)?.realm;
      at = realm?.kind === 'parent' ? realm.target : undefined;
      if (at === table) return true;
    }
    return false;
  };
  return [...tables.keys()]
    .filter(isCyclic)
    .map((table) => `${table}: the realm of its rows would be that of its own rows.`);
}

/** What it takes to find the realm of a row whose parent is in an adopted table. */
export interface RealmSource {
  readonly mirror: string;
  readonly idColumn: string;
}

/** The realm of the row `row` of the adopted table, an expression of type text; null: it is in none. */
export function realmExpression(
  realm: RealmRule,
  row: string,
  of: (table: string) => RealmSource,
): string {
  if (realm.kind === 'template') {
    const parts = realm.parts.map((part, i) =>
      i % 2 === 0 ? quoteText(part) : `${row}.${quoteName(part)}::text`,
    );
    return parts.join(' || ');
  }
  const { mirror, idColumn } = of(realm.target);
  return `(select p.realm from public.${quoteName(mirror)} p
      where p.deleted_at is null and p.id = (
        select t.${quoteName(idColumn)} from public.${quoteName(realm.target)} t where t.${quoteName(realm.targetKey)} = ${row}.${quoteName(realm.column)}))`;
}
