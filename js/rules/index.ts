/**
 * `skerry/rules`, for skerry-server: asks the rules of an application (`validate` of its tables and of its schema, and the server's
 * own) about what an action has changed. It has no state: what a rule reads comes with the next question about the same action.
 */
import type { RuleAnswer, RuleProblem, RuleQuestion } from '../core/core-types.ts';
import type { SchemaDef, SchemaRule, TableRule } from '../core/prop-def.ts';
import { type RowObject, SchemaCodec } from '../core/values.ts';
import { ReadView, rowObject } from './read-view.ts';

/** A row that an action has changed, before and after it; null: it was not there, or is not. */
export interface ServerChangedRow {
  readonly table: string;
  readonly id: string;
  readonly realm: string;
  readonly before: RowObject | null;
  readonly after: RowObject | null;
}

/** What the server's own rule is asked about. */
export interface ServerChange {
  readonly user: string;
  readonly client: string;
  readonly action: {
    readonly id: string;
    readonly name: string;
    readonly arg: unknown;
    readonly at: Date;
  };
  readonly rows: readonly ServerChangedRow[];
}

export type ChangeRule = (change: ServerChange, reader: never) => unknown;

/** What the rules need of where they run. */
export interface RulesHost {
  /** ms, from any beginning. */
  mono(): number;
  /** Is told of slow rules. */
  warn(message: string): void;
}

const slowMs = 50;
/** More reads for one action are the fault of a rule. */
const mostReads = 1_000;
const mostCharacters = 1_000;

/** The definition of a schema that any copy of the package has made; null: it is a description of one, which has no rules. */
function definitionOf(schema: unknown): SchemaDef | null {
  const made = (schema as Record<symbol, unknown> | null)?.[Symbol.for('skerry.schema')];
  return typeof made === 'function' ? (made() as SchemaDef) : null;
}

export class Rules {
  readonly #codec: SchemaCodec | null;
  readonly #ofServer: ChangeRule | null;
  readonly #host: RulesHost;
  /** What was slow: the time that was said last. */
  readonly #slow = new Map<string, number>();

  /** `schema`: the result of `schema()`. `ofServer`: a rule of the server alone. */
  constructor(schema: unknown, ofServer: ChangeRule | null, host: RulesHost) {
    const definition = definitionOf(schema);
    this.#codec = definition && new SchemaCodec(definition);
    this.#ofServer = ofServer;
    this.#host = host;
  }

  /** Whether there is any rule to ask. */
  get any(): boolean {
    const { tables = [], validate } = this.#codec?.schema ?? {};
    return (
      this.#codec !== null &&
      (this.#ofServer !== null || validate !== undefined || tables.some((table) => table.validate))
    );
  }

  answer(question: RuleQuestion): RuleAnswer {
    const { place } = question;
    if (this.#codec === null) return { place };
    const ask = (codec: SchemaCodec) =>
      new Asked(codec, question, <Result>(of: string, rule: () => Result) => this.#timed(of, rule));
    const asked = ask(this.#codec);
    const view = new ReadView(asked.codec, asked.question, false);
    const found = asked.problems(view);
    const ofServer = this.#ofServer === null ? [] : asked.problemsOfServer(view, this.#ofServer);
    if (view.missing.length > 0) return asked.answer({ reads: view.missing });
    // What was wrong before is not the action's fault. It may even be about to make it right. A rule that throws over the rows of
    // then has found nothing.
    const before = new ReadView(asked.codec, asked.question, true);
    const old = new Set(found.length === 0 ? [] : ask(this.#codec).problems(before).map(nameOf));
    if (before.missing.length > 0) return asked.answer({ reads: before.missing });
    const isNew = found.filter((problem) => !old.has(nameOf(problem)));
    const problems = asked.withoutRepetition([...isNew, ...ofServer]);
    return asked.answer(problems.length > 0 ? { problems } : {});
  }

  /** A rule that is slow is named, and again when it takes twice as long. */
  #timed<Result>(of: string, rule: () => Result): Result {
    const from = this.#host.mono();
    try {
      return rule();
    } finally {
      this.#noteTime(of, this.#host.mono() - from);
    }
  }

  #noteTime(of: string, ms: number): void {
    if (ms < slowMs || ms < 2 * (this.#slow.get(of) ?? 0)) return;
    this.#slow.set(of, ms);
    this.#host.warn(`${of} took ${Math.round(ms)} ms: others wait for it.`);
  }
}

/** Calls the rule, and measures its time. */
type Timed = <Result>(of: string, rule: () => Result) => Result;

/** One question, while the rules are asked. */
class Asked {
  readonly codec: SchemaCodec;
  readonly question: RuleQuestion;
  readonly #timed: Timed;
  #failed: string | null = null;

  constructor(codec: SchemaCodec, question: RuleQuestion, timed: Timed) {
    this.codec = codec;
    // Of a table that only another release has, these rules know nothing.
    const changed = question.changed.filter(({ table }) => codec.schema.byName.has(table));
    this.question = { ...question, changed };
    this.#timed = timed;
  }

  answer(answer: Omit<RuleAnswer, 'place'>): RuleAnswer {
    const { place, reads } = this.question;
    const isTooMuch = reads.length + (answer.reads?.length ?? 0) > mostReads;
    const failed =
      this.#failed ??
      (isTooMuch ? `A rule reads more than ${mostReads} times for one action.` : null);
    return failed === null ? { place, ...answer } : { place, failed };
  }

  /** Of rows that the action has not changed nothing is said that is said of one that it has. */
  withoutRepetition(problems: readonly RuleProblem[]): readonly RuleProblem[] {
    const isChanged = (problem: RuleProblem) =>
      this.question.changed.some(({ table, id }) => table === problem.table && id === problem.id);
    const said = new Set(problems.filter(isChanged).map(({ message }) => message));
    return problems.filter((problem) => {
      if (isChanged(problem)) return true;
      if (said.has(problem.message)) return false;
      said.add(problem.message);
      return true;
    });
  }

  problems(view: ReadView): readonly RuleProblem[] {
    const reader = view.reader();
    const { validate } = this.codec.schema;
    return [
      ...this.#ofTables(view, reader),
      ...(validate ? this.#ofSchema(view, reader, validate) : []),
    ];
  }

  /** Of the server's own rule: about the action itself, or about rows. */
  problemsOfServer(view: ReadView, rule: ChangeRule): readonly RuleProblem[] {
    const { user, client, action, changed } = this.question;
    const where = '`validate` of the server';
    const change: ServerChange = Object.freeze({
      user,
      client,
      action: Object.freeze({
        ...action,
        arg: this.codec.registry.decode(action.arg),
        at: new Date(action.at),
      }),
      rows: Object.freeze(
        changed.map(({ table, id, realm, before, after }) => {
          const codec = this.codec.table(table);
          return Object.freeze({
            ...{ table, id, realm },
            before: before === null ? null : rowObject(codec, before),
            after: after === null ? null : rowObject(codec, after),
          });
        }),
      ),
    });
    const answer = this.#ask(view, where, () => rule(change, view.reader() as never));
    if (answer === undefined) return [];
    return typeof answer.value === 'string'
      ? this.#sentence(answer.value, where, {})
      : this.#list(answer.value, where);
  }

  #ofTables(view: ReadView, reader: unknown): readonly RuleProblem[] {
    return this.question.changed.flatMap((changed) => {
      const { table: name, id, realm } = changed;
      const rule: TableRule | undefined = this.codec.table(name).table.validate;
      const row = rule && view.stateOf(changed);
      if (!rule || !row) return [];
      const where = `validate of ${name} ${id}`;
      const answer = this.#ask(view, where, () => rule(row, reader), `validate of table ${name}`);
      return answer === undefined
        ? []
        : this.#sentence(answer.value, where, { table: name, id, realm });
    });
  }

  #ofSchema(view: ReadView, reader: unknown, rule: SchemaRule): readonly RuleProblem[] {
    const where = 'validate of the schema';
    const changed = this.question.changed.map(({ table, id, realm }) =>
      this.codec.table(table).table.ids === 'string' ? { table, id, realm } : { table, id },
    );
    const answer = this.#ask(view, where, () => rule(reader, Object.freeze(changed)));
    return answer === undefined ? [] : this.#list(answer.value, where);
  }

  /** Undefined: there is no answer, because it reads what is not there yet, or threw. */
  #ask(
    view: ReadView,
    where: string,
    rule: () => unknown,
    of = where,
  ): { readonly value: unknown } | undefined {
    const missing = view.missing.length;
    try {
      const value = this.#timed(of, rule);
      // A rule that catches all errors may not even know.
      return view.missing.length > missing ? undefined : { value };
    } catch (error) {
      if (view.missing.length === missing) this.#fail(`${where}: it threw ${textOf(error)}`);
      return undefined;
    }
  }

  #fail(detail: string): readonly RuleProblem[] {
    this.#failed ??= detail.slice(0, mostCharacters);
    return [];
  }

  #list(answer: unknown, where: string): readonly RuleProblem[] {
    if (answer === undefined || answer === null) return [];
    if (!Array.isArray(answer)) return this.#noAnswer(where, answer);
    return answer.flatMap((problem: unknown) => {
      const { table, id, realm, message } = (problem ?? {}) as Partial<RuleProblem>;
      const isKnown = typeof table === 'string' && this.codec.schema.byName.has(table);
      if (!isKnown || typeof id !== 'string' || typeof message !== 'string')
        return this.#noAnswer(where, problem);
      return this.#sentence(message, `${where}, ${table} ${id}`, {
        ...{ table, id },
        ...(typeof realm === 'string' ? { realm } : {}),
      });
    });
  }

  #sentence(
    answer: unknown,
    where: string,
    row: Pick<RuleProblem, 'table' | 'id' | 'realm'>,
  ): readonly RuleProblem[] {
    if (answer === undefined || answer === null) return [];
    if (typeof answer !== 'string' || answer === '') return this.#noAnswer(where, answer);
    return [{ ...row, code: 'rule', message: answer.slice(0, mostCharacters) }];
  }

  #noAnswer(where: string, answer: unknown): readonly RuleProblem[] {
    return this.#fail(
      `${where}: a rule answers with a sentence, or with nothing, and not with ${JSON.stringify(answer)}.`,
    );
  }
}

/** Ids that the package makes name a row in whatever realm it is. */
function nameOf({ table, id, message }: RuleProblem): string {
  return JSON.stringify([table, id, message]);
}

function textOf(error: unknown): string {
  try {
    return String(error);
  } catch {
    return 'a value that cannot be shown';
  }
}
