// The one interface to SQL, over PGlite in a thread of this process or PostgreSQL. The dialect's rules, which both obey: every
// parameter is text (or null) and is cast in the statement (`$1::text::json`, `$2::text::bigint`); sets go in as one
// JSON text and are opened by `json_to_recordset`; everything that is selected is cast to text, so that no driver's
// idea of bigint, json or date comes between.
//
// Guarantees: a resolved transaction is durable; a rejected one has left nothing. Statements of one transaction run in
// order: of sending, whether or not they await one another, and on PostgreSQL those that do not travel together. Whoever
// sends several awaits them all (Promise.all): after the first failure the others fail, too. Nothing but the transaction's own statements may be awaited inside of it: on PGlite all else queues behind it.

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

export interface QueryOptions {
  /**
   * The last statement of its transaction: the commit travels with it, and saves a journey. Everything that must not be
   * kept without the others is in this one statement, or what it writes would stay if it were never sent.
   */
  readonly last?: boolean;
}

export interface Queryable {
  query<Row extends object = SqlRow>(
    sql: string,
    params?: readonly Param[],
    options?: QueryOptions,
  ): Promise<Row[]>;
}

/** Told how many milliseconds the server has worked for somebody. */
export type Spent = (ms: number) => void;

/** How long work is wanted, and what it has cost. */
export interface Within {
  /**
   * When it is aborted, a transaction waits for a session no longer, sends no further statement, has PostgreSQL give up
   * the one that runs, and ends with the signal's reason.
   */
  readonly signal?: AbortSignal | undefined;
  /** Runs work that is finished once it has begun, whatever the signal: others will want what comes of it. */
  readonly finish?: (<Value>(work: () => Promise<Value>) => Promise<Value>) | undefined;
  /** Told how many milliseconds the database, or the rules, have worked. */
  readonly spent?: Spent | undefined;
}

export interface TransactionOptions extends Within {
  /**
   * `snapshot`: all statements see one state of the database (REPEATABLE READ), and none may write. `tables`: changes
   * tables, which takes as long as it takes; in the other modes a statement that hangs is given up.
   */
  readonly mode: 'write' | 'snapshot' | 'tables';
}

export interface Database extends Queryable {
  readonly kind: 'pglite' | 'postgres';
  /** Runs several statements without parameters: migrations. */
  execute(sql: string): Promise<void>;
  transaction<Value>(
    options: TransactionOptions,
    work: (tx: Queryable) => Promise<Value>,
  ): Promise<Value>;
  /** A statement of a transaction that fails where this node may not write any more (sql/newest-schema.ts). */
  fence?(tx: Queryable): Promise<void>;
  close(): Promise<void>;
}

/** Whether every database can hold a text. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/** The SQLSTATE of an error thrown by either driver, or '' where it is none. */
export function sqlState(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : '';
}

/** Whether the database refused the values themselves (classes 22 and 23, or 54, its own limits): no try can help. */
export function refusesValues(error: unknown): boolean {
  return /^(22|23|54)/.test(sqlState(error));
}

/** The way to the database is lost, or too many wait for it; what was asked may or may not have been done. */
export class ConnectionError extends Error {
  readonly code = 'CONNECTION_LOST';
}

/** A statement was not answered in time. */
export class DatabaseTimeout extends ConnectionError {}

/** Whether a statement took too long; another try would take as long again. */
export function isTimeout(error: unknown): boolean {
  return error instanceof DatabaseTimeout || sqlState(error) === '57014';
}

/** Whether the database is away, has no room, or may not be written to: nobody's statement is to blame. */
export function isAway(error: unknown): boolean {
  const state = sqlState(error);
  return state === '' ? isUnavailable(error) : /^(08|53|57P0|58|25006)/.test(state);
}

/** What sockets say when there is nobody, and no way. */
const kAway =
  /^(CONNECTION_[A-Z]+|CONNECT_TIMEOUT|ECONN[A-Z]+|EPIPE|ETIMEDOUT|ENOENT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/;

/** Whether the database is away for now: it stops, starts, hangs, takes no more connections, or cannot be reached. */
export function isUnavailable(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== '') return /^(08|57P0[1-5]|53300|57014)/.test(state);
  const { code, syscall } = (error ?? {}) as { code?: unknown; syscall?: unknown };
  // A file of our own that is missing is no database's socket.
  if (code === 'ENOENT' && syscall !== 'connect') return false;
  return typeof code === 'string' && kAway.test(code);
}
