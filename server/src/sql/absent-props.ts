// The values of unwritten props in rows when one schema follows another (defaults.ts, corrections.ts).

import type { Correction } from './corrections.ts';
import { absentValue, constant, differs, findProp, sameAbsent } from './defaults.ts';
import type { PropDescription, SchemaDescription } from './description.ts';
import type { SqlColumn, SqlTable } from './tables.ts';

export interface AbsentWork {
  /** The schema that was served last; null if it is unknown, or unchanged. */
  readonly former: SchemaDescription | null;
  readonly corrections: Correction[];
  /** Statements to run after the corrections. */
  readonly last: string[];
}

/** Adapts the unwritten props in the rows of a table to the schema. */
export class AbsentProps {
  readonly #table: SqlTable;
  readonly #work: AbsentWork;
  /** The table is new to the clients of the schema that was served last, but has rows from an earlier one. */
  readonly #returns: boolean;
  readonly #where: string[] = [];
  readonly #set: string[] = [];
  readonly #unsure = new Set<string>();

  constructor(table: SqlTable, work: AbsentWork) {
    this.#table = table;
    this.#work = work;
    const { former } = work;
    this.#returns = former !== null && !former.tables.some(({ name }) => name === table.table);
  }

  /** An existing column. `isFilled`: it is NOT NULL and has a default. */
  follow(column: SqlColumn, prop: PropDescription, isFilled: boolean): void {
    const { former, last } = this.#work;
    const absent = absentValue(prop);
    const before = findProp(former, this.#table.table, prop.name);
    const changed = former !== null && (before === undefined || !sameAbsent(before, prop));
    // Clients that have the row from before the prop use this schema's value for it.
    if (changed && !this.#returns) this.#tell(prop, differs(column, absent));
    const alter = `alter table ${this.#table.name} alter column ${column.name}`;
    if (absent === null) {
      if (isFilled) last.push(`${alter} drop not null`, `${alter} drop default`);
      return;
    }
    if (!isFilled) this.#fill(column, prop, before);
    if (!isFilled || changed) last.push(`${alter} set default ${constant(column, absent)}`);
    if (!isFilled) last.push(`${alter} set not null`);
  }

  /**
   * Rows with null: from an older server, or under a schema that allowed it. They get the value that clients have
   * shown.
   */
  #fill(column: SqlColumn, prop: PropDescription, before: PropDescription | undefined): void {
    const shown = (before && absentValue(before)) ?? absentValue(prop);
    const { name } = this.#table;
    this.#tell(prop, `t.${column.name} is null`);
    this.#set.push(`${column.name} = coalesce(t.${column.name}, ${constant(column, shown)})`);
    this.#work.last.push(
      `update ${name} set ${column.name} = ${constant(column, shown)} where ${column.name} is null`,
    );
  }

  #tell(prop: PropDescription, where: string): void {
    this.#where.push(where);
    this.#unsure.add(prop.name);
  }

  correct(): void {
    const { corrections } = this.#work;
    if (this.#returns) {
      corrections.push({ table: this.#table, where: 'true', set: this.#set, unsure: null });
    } else if (this.#where.length > 0) {
      const where = this.#where.join(' or ');
      corrections.push({ table: this.#table, where, set: this.#set, unsure: this.#unsure });
    }
  }
}
