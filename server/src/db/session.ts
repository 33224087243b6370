// One connection to a database, and a transaction on it: the same for PGlite's thread and for PostgreSQL. Statements
// that a transaction sends without awaiting each other share a round trip, and run in the order in which they were
// sent.

import type { Param, Queryable, StatementOptions, TransactionOptions } from './database.ts';

export interface Session {
  /** Nothing more can be sent: its user gives it back, and takes another one. */
  readonly lost: boolean;
  /** Whether statements have no time limit; PostgreSQL must have been told so, too. */
  unlimited: boolean;
  /** The total of milliseconds that the database has worked for this session. */
  readonly workedMs: number;
  query(sql: string, params: readonly Param[]): Promise<Iterable<object>>;
  /** Runs statements without parameters; resolves with the command tag of the last one. */
  simple(sql: string): Promise<string>;
  /** Asks the database to cancel the running statement. After it resolves, no later statement is affected. */
  cancel(): Promise<void>;
  /** Ends the session at once; its waiting statements are rejected. */
  discard(error?: Error): void;
  /** Ends the session when all statements sent have been answered. */
  close(): Promise<void>;
}

const kBegin = {
  write: 'begin',
  // Sub-selects are hashed (sql/filter.ts) if the planner takes their values to fit.
  snapshot: "begin isolation level repeatable read read only; set local work_mem = '64MB'",
  tables: 'begin; set local statement_timeout = 0',
} as const;

export async function rowsOf<Row extends object>(
  session: Session,
  sql: string,
  params: readonly Param[],
): Promise<Row[]> {
  return [...(await session.query(sql, params))] as Row[];
}

/**
 * Runs one transaction. If `signal` is aborted, the running statement is cancelled, and the transaction rejects with
 * the signal's reason.
 */
export async function inTransaction<Value>(
  session: Session,
  { mode, signal, spent }: TransactionOptions,
  work: (tx: Queryable) => Promise<Value>,
): Promise<Value> {
  signal?.throwIfAborted();
  let open = true;
  let committed: Promise<string> | null = null;
  let cancelled: Promise<void> | null = null;
  const cancel = () => {
    cancelled = session.cancel();
    // Awaited below, perhaps only after it has failed.
    cancelled.catch(() => {});
  };
  signal?.addEventListener('abort', cancel, { once: true });
  session.unlimited = mode === 'tables';
  const workedBefore = session.workedMs;
  const tx: Queryable = {
    async query<Row extends object>(
      sql: string,
      params: readonly Param[] = [],
      { last = false }: StatementOptions = {},
    ) {
      signal?.throwIfAborted();
      // The session may already serve another transaction.
      if (!open) throw new Error('A statement was sent after the end of its transaction.');
      const rows = rowsOf<Row>(session, sql, params);
      if (last) {
        open = false;
        committed = session.simple('commit');
        // The caller, who awaits the statement, gets the failure of either.
        committed.catch(() => {});
      }
      return rows;
    },
  };
  try {
    // Sent together with the first statement. An open session cannot refuse it; a lost one refuses everything.
    const begun = session.simple(kBegin[mode]);
    const [value] = await Promise.all([work(tx), begun]);
    open = false;
    const tag = await (committed ?? session.simple('commit'));
    if (tag !== 'COMMIT') throw new Error('A statement failed, but the transaction continued.');
    return value;
  } catch (error) {
    open = false;
    await cancelled;
    // If the rollback fails the session is ended, and the server rolls back by itself.
    if (!session.lost) await session.simple('rollback').catch(() => session.discard());
    throw signal?.aborted ? signal.reason : error;
  } finally {
    signal?.removeEventListener('abort', cancel);
    // A late cancellation must not hit the next transaction's statements.
    await cancelled;
    session.unlimited = false;
    spent?.(session.workedMs - workedBefore);
  }
}
