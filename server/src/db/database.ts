// The one interface to SQL, for PGlite in a thread of this process and for PostgreSQL. Rules of the dialect for both:
// every parameter is text (or null) and is cast in the statement (`$1::text::json`, `$2::text::bigint`); a set is
// passed as one JSON text and opened by `json_to_recordset`; every selected value is cast to text, so that the
// drivers' types for bigint, json or dates do not matter.
//
// Guarantees: a resolved transaction is durable; a rejected one has changed nothing. Statements of one transaction
// run in the order in which they are sent, whether or not the caller awaits each one. On PostgreSQL statements that
// are sent without awaiting share a round trip. A caller that sends several statements awaits them all (Promise.all):
// after the first failure the others fail, too. Inside a transaction await only its own statements: on PGlite
// everything else queues behind it.

export type Param = string | null;
export type SqlRow = Record<string, string | null>;

/** Collects parameters; `add` returns the text to write into the statement. */
export class Params {
  readonly values: Param[] = [];
  add(value: Param): string {
    this.values.push(value);
    return `$${this.values.length}::text`;
  }
}

export interface StatementOptions {
  /**
   * The last statement of its transaction: the commit is sent with it, which saves a round trip. All writes that must
   * not be kept one without another are in this statement; earlier writes would stay if it were never sent.
   */
  readonly last?: boolean;
}

export interface Queryable {
  query<Row extends object = SqlRow>(
    sql: string,
    params?: readonly Param[],
    options?: StatementOptions,
  ): Promise<Row[]>;
}

/** Reports milliseconds of work done for a caller. */
export type Spent = (ms: number) => void;

/** How long the work is wanted, and what it costs. */
export interface Within {
  /**
   * When the signal is aborted, a transaction stops waiting for a session, sends no further statement, asks
   * PostgreSQL to cancel the running one, and rejects with the signal's reason.
   */
  readonly signal?: AbortSignal | undefined;
  /** Runs work that is finished once it has begun, whatever the signal says, because others will want its result. */
  readonly finish?: (<Value>(work: () => Promise<Value>) => Promise<Value>) | undefined;
  /** Gets the milliseconds that the database, or the rules, have worked. */
  readonly spent?: Spent | undefined;
}

export interface TransactionOptions extends Within {
  /**
   * `snapshot`: all statements see one state of the database (REPEATABLE READ), and none may write. `tables`: changes
   * tables, without a time limit; in the other modes a statement that hangs is cancelled.
   */
  readonly mode: 'write' | 'snapshot' | 'tables';
}

export interface Database extends Queryable {
  readonly kind: 'pglite' | 'postgres';
  /** Runs several statements without parameters, for migrations. */
  execute(sql: string): Promise<void>;
  transaction<Value>(
    options: TransactionOptions,
    work: (tx: Queryable) => Promise<Value>,
  ): Promise<Value>;
  /** A statement of a transaction that fails if this node may no longer write (sql/newest-schema.ts). */
  fence?(tx: Queryable): Promise<void>;
  close(): Promise<void>;
}

/** Whether every database can store a text. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/** The SQLSTATE of an error from either driver, or '' if it has none. No class of SQL begins with an E, as EPIPE does. */
export function sqlState(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^(?!E)[0-9A-Z]{5}$/.test(code) ? code : '';
}

/** SQLSTATE of an exception that a function or a trigger of the application raises. */
const kRaised = 'P0001';

/**
 * Whether the database refused the values themselves (classes 22 and 23, or 54, its own limits), or a trigger of the application
 * did: no retry can help.
 */
export function refusesValues(error: unknown): boolean {
  return new RegExp(`^(22|23|54|${kRaised})`).test(sqlState(error));
}

/** Why it did, for whoever sent the values: nothing of what others have. */
export function whyRefused(error: unknown): string {
  const { message } = error as Error;
  if (sqlState(error) === kRaised) return message;
  const [, constraint] = /constraint "([^"]+)"/.exec(message) ?? [];
  return constraint === undefined
    ? 'The database cannot hold a value of this update.'
    : `This update breaks the constraint ${constraint} of the database.`;
}

/**
 * The connection to the database is lost, or too many callers wait for one. The work may or may not have been done.
 */
export class ConnectionError extends Error {
  readonly code = 'CONNECTION_LOST';
}

/** A statement was not answered in time. */
export class DatabaseTimeout extends ConnectionError {}

/** Nothing was written, because the disk has no room. The message says so to callers. */
export class DiskFull extends ConnectionError {}

/** Whether a statement took too long. Another try would take as long again. */
export function isTimeout(error: unknown): boolean {
  return error instanceof DatabaseTimeout || sqlState(error) === '57014';
}

/** Whether a lock was waited for too long: another transaction holds it. */
export function isLockTimeout(error: unknown): boolean {
  return sqlState(error) === '55P03';
}

/** Whether the database is unavailable, is full, or may not be written to: no statement is at fault. */
export function isAway(error: unknown): boolean {
  const state = sqlState(error);
  return state === '' ? isUnavailable(error) : /^(08|53|57P0|58|25006)/.test(state);
}

/** Codes of socket errors when the database cannot be reached. */
const kAway =
  /^(CONNECTION_[A-Z]+|CONNECT_TIMEOUT|ECONN[A-Z]+|EPIPE|ETIMEDOUT|ENOENT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/;

/**
 * Whether the database is temporarily unavailable: it stops, starts, hangs, refuses more connections, or cannot be
 * reached.
 */
export function isUnavailable(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== '') return /^(08|57P0[1-5]|53300|57014)/.test(state);
  const { code, syscall } = (error ?? {}) as { code?: unknown; syscall?: unknown };
  // A missing file of our own is not a missing socket of the database.
  if (code === 'ENOENT' && syscall !== 'connect') return false;
  return typeof code === 'string' && kAway.test(code);
}
