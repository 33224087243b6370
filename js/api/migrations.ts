/**
 * The migrations of a schema: what a release has renamed. They are carried out nowhere: tables and props keep their former
 * names beside the present one, and whatever is stored or sent under one of those is read by it.
 */
import { checkFunction, SchemaError } from '../core/errors.ts';
import type { NamedDef, TableDef } from '../core/prop-def.ts';

/** Changes of a table, by the names that are in force where they are written. */
export interface TableMigration {
  renameProp(from: string, to: string): TableMigration;
}

/** What leads from one version of a schema to the next. */
export interface Migration {
  renameTable(from: string, to: string): void;
  table(name: string): TableMigration;
}

/** By the version that a migration leads to. */
export type Migrations = Readonly<Record<number, (migration: Migration) => void>>;

/** By every name that they have, and have had since. */
type Names<Def> = Map<string, Def>;

/** Notes the former names of tables and props, from the last migration back to the first. */
export function noteFormerNames(
  list: readonly TableDef[],
  version: number,
  migrations: Migrations,
): void {
  const tables: Names<TableDef> = new Map(list.map((table) => [table.name, table]));
  const props = new Map(list.map((table) => [table, new Map(table.byName)]));
  for (const until of Object.keys(migrations).map(Number).reverse()) {
    const check = (isRight: boolean, what: string) => {
      if (!isRight) throw new SchemaError('schema', `migrations, ${until}: ${what}.`);
    };
    const named = <Def extends NamedDef>(names: Names<Def>, name: string) => {
      const found = names.get(name) as Def;
      check((found?.was[0]?.name ?? found?.name) === name, `there is no ${name}`);
      return found;
    };
    const undo = <Def extends NamedDef>(names: Names<Def>, from: string, to: string) => {
      const renamed = named(names, to);
      const other = names.get(from) ?? renamed;
      // What is stored says the name alone.
      check(other === renamed, `${from} is a name of ${other.name}, too`);
      names.set(from, renamed);
      renamed.was.unshift({ name: from, until });
    };
    check(until > 1 && until <= version, 'no such version');
    const migrate = migrations[until] as (migration: Migration) => void;
    checkFunction(migrate, `migrations, ${until}`);
    const steps: (() => void)[] = [];
    migrate({
      renameTable: (from, to) => steps.unshift(() => undo(tables, from, to)),
      table(name) {
        const migration: TableMigration = {
          renameProp(from, to) {
            steps.unshift(() => undo(props.get(named(tables, name)) as Names<NamedDef>, from, to));
            return migration;
          },
        };
        return migration;
      },
    });
    for (const step of steps) step();
  }
}
