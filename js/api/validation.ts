/**
 * Validation: asks the application's own rules (`validate` of tables and of the schema) about rows that have changed, lists what they
 * find in `db.problems`, and tells the core which rows are wrong: it holds back the mutations that change them (docs/window.md,
 * section 8). A rule that fails, or answers with what is no answer, finds nothing: the server has the last word.
 */
import type { NamedRow, ValidateEffect } from '../core/core-types.ts';
import { reportUncaught, ValidationError } from '../core/errors.ts';
import type { SchemaRule, TableRule } from '../core/prop-def.ts';
import type { RowView } from '../core/row-view.ts';
import type { RowObject, TableCodec } from '../core/values.ts';
import type { Clock } from '../host/clock.ts';
import type { Timers } from '../host/timers.ts';
import type { LiveRegistry } from './live.ts';
import type { Problem, Problems } from './problems.ts';
import { TableReader } from './query.ts';

/** So many rows are looked at together: of the rule of a schema, they are what it is told of at once. */
const slice = 100;
/** A window that stands still for longer is noticed (W3C, Long Tasks API). */
const slowMs = 50;

interface Found {
  readonly row: NamedRow;
  readonly message: string;
  /** The rows that the rule of the schema was told of when it found this; null: a table's rule found it. */
  readonly told: readonly NamedRow[] | null;
}

export interface ValidationParts {
  readonly view: RowView;
  readonly lives: LiveRegistry;
  readonly problems: Problems;
  readonly clock: Clock;
  readonly timers: Timers;
  /** These rows are wrong, and pending mutations change them. */
  judge(wrong: readonly NamedRow[]): void;
}

const nameOf = ({ table, id, realm }: NamedRow) => JSON.stringify([table, id, realm ?? null]);

export class Validation {
  readonly #parts: ValidationParts;
  readonly #reader: Readonly<Record<string, TableReader>>;
  /** What tables' rules found, and what the rule of the schema found; by the row's name. */
  readonly #ofTables = new Map<string, Found>();
  #ofSchema = new Map<string, Found>();
  /** Tables whose rules were slow: the time that was said last. */
  readonly #slow = new Map<string, number>();
  /** Rows that are still to be looked at for the first time. */
  #rest: Iterator<readonly NamedRow[]> | null = null;

  constructor(parts: ValidationParts) {
    this.#parts = parts;
    const { view, lives } = parts;
    const readers = view.codec.tables.map(
      (table) => [table.table.name, new TableReader(lives, table)] as const,
    );
    this.#reader = Object.freeze(Object.fromEntries(readers));
  }

  /** The effect `validate`. */
  take({ all, rows }: ValidateEffect): void {
    if (all) {
      this.#ofTables.clear();
      this.#ofSchema.clear();
      this.#rest = this.#allRows();
    }
    this.#look(rows, true);
    if (this.#rest) this.#parts.timers.set('validate', 0, () => this.#goOn());
  }

  /** The next rows of a window that has just loaded its data: a part at a time, so that it stays usable. */
  #goOn(): void {
    const { view, lives, clock, timers } = this.#parts;
    const from = clock.mono();
    while (this.#rest && !view.core.closed && clock.mono() - from < slowMs / 4) {
      const next = this.#rest.next();
      if (next.done) this.#rest = null;
      else this.#look(next.value, false);
    }
    if (this.#rest && !view.core.closed) timers.set('validate', 0, () => this.#goOn());
    lives.calls.run();
  }

  *#allRows(): Generator<readonly NamedRow[]> {
    const { view } = this.#parts;
    for (const table of view.codec.tables) {
      if (!view.schema.validate && !table.table.validate) continue;
      const { name, ids } = table.table;
      const reader = this.#reader[name] as TableReader;
      const names: readonly NamedRow[] =
        ids === 'string'
          ? reader.all().map(({ id, realm }) => ({ table: name, id, realm }))
          : reader.ids().map((id) => ({ table: name, id }));
      for (let at = 0; at < names.length; at += slice) yield names.slice(at, at + slice);
    }
  }

  /** `again`: what was wrong may be right by now, because of another row. */
  #look(rows: readonly NamedRow[], again: boolean): void {
    const { view } = this.#parts;
    const due = new Map(rows.map((row) => [nameOf(row), row]));
    if (again) {
      for (const { row, told } of [...this.#ofTables.values(), ...this.#ofSchema.values()])
        for (const one of [row, ...(told ?? [])]) due.set(nameOf(one), one);
    }
    view.beginValidating();
    try {
      this.#askTables([...due.values()]);
      if (view.schema.validate) this.#askSchema(view.schema.validate, [...due.values()], again);
    } finally {
      view.endValidating();
    }
    this.#tell();
  }

  #askTables(rows: readonly NamedRow[]): void {
    const { view, clock } = this.#parts;
    const spent = new Map<string, number>();
    for (const row of rows) {
      const table = view.codec.table(row.table);
      const rule = table.table.validate;
      if (!rule) continue;
      const from = clock.mono();
      const message = this.#messageOf(rule, table, row);
      spent.set(row.table, (spent.get(row.table) ?? 0) + clock.mono() - from);
      const name = nameOf(row);
      if (message === null) this.#ofTables.delete(name);
      else this.#ofTables.set(name, { row, message, told: null });
    }
    for (const [table, ms] of spent) this.#noteTime(`table ${table}`, ms);
  }

  #messageOf(rule: TableRule, table: TableCodec, { id, realm }: NamedRow): string | null {
    const row: RowObject | undefined = this.#parts.view.get(table, id, realm ?? null);
    if (!row) return null;
    const where = `validate of ${table.table.name} ${id}`;
    try {
      return sentence(rule(row, this.#reader), where);
    } catch (cause) {
      report(where, cause);
      return null;
    }
  }

  #askSchema(rule: SchemaRule, rows: readonly NamedRow[], again: boolean): void {
    const { clock } = this.#parts;
    const found = again ? new Map<string, Found>() : new Map(this.#ofSchema);
    const from = clock.mono();
    for (let at = 0; at < rows.length; at += slice) {
      const told = rows.slice(at, at + slice);
      for (const one of this.#problemsOf(rule, told)) found.set(nameOf(one.row), one);
    }
    this.#ofSchema = found;
    this.#noteTime('the schema', clock.mono() - from);
  }

  #problemsOf(rule: SchemaRule, told: readonly NamedRow[]): readonly Found[] {
    const { view } = this.#parts;
    const where = 'validate of the schema';
    try {
      const problems = rule(this.#reader, Object.freeze([...told])) ?? [];
      if (!Array.isArray(problems)) throw wrongAnswer(where, problems);
      return problems.map((problem: unknown) => {
        const { table, id, realm, message } = (problem ?? {}) as Partial<Problem & NamedRow>;
        if (typeof table !== 'string' || !view.schema.byName.has(table) || typeof id !== 'string')
          throw wrongAnswer(where, problem);
        const text = sentence(message, `${where}, ${table} ${id}`);
        if (text === null) throw wrongAnswer(`${where}, ${table} ${id}`, message);
        const row = typeof realm === 'string' ? { table, id, realm } : { table, id };
        return { row, message: text, told };
      });
    } catch (cause) {
      report(where, cause);
      return [];
    }
  }

  #tell(): void {
    const { view, lives, problems, judge } = this.#parts;
    const wrong: NamedRow[] = [];
    const list = [...this.#ofTables.values(), ...this.#ofSchema.values()].map(
      ({ row, message }): Problem => {
        const { index } = view.codec.table(row.table).table;
        const mutations = view.core.pendingOf(index, row.id, row.realm ?? null);
        if (mutations.length > 0) wrong.push(row);
        return Object.freeze({ table: row.table, id: row.id, message, mutations });
      },
    );
    if (!isSame(list, problems.of(this))) lives.calls.add(problems.replace(this, list));
    // After the effects that came with this one: it is an event of its own.
    lives.calls.add([() => judge(wrong)]);
  }

  /** Said again when it takes twice as long. */
  #noteTime(of: string, ms: number): void {
    if (ms < slowMs || ms < 2 * (this.#slow.get(of) ?? 0)) return;
    this.#slow.set(of, ms);
    console.warn(`skerry: validate of ${of} took ${Math.round(ms)} ms.`);
  }
}

/** What a rule answered; null: nothing is wrong. */
function sentence(answer: unknown, where: string): string | null {
  if (answer === undefined || answer === null) return null;
  if (typeof answer !== 'string' || answer === '') throw wrongAnswer(where, answer);
  return answer;
}

function wrongAnswer(where: string, answer: unknown): ValidationError {
  return new ValidationError(
    'validate',
    `${where}: a rule answers with a sentence, or with nothing, and not with ${JSON.stringify(answer)}.`,
  );
}

function report(where: string, cause: unknown): void {
  reportUncaught(
    cause instanceof ValidationError && cause.code === 'validate'
      ? cause
      : new ValidationError('validate', `${where}: it threw ${String(cause)}`, { cause }),
  );
}

function isSame(a: readonly Problem[], b: readonly Problem[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
