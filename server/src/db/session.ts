// One connection to a database, and a transaction on it: the same for PGlite's thread and for PostgreSQL. Statements that a
// transaction sends without awaiting one another travel together, and run in the order in which they were sent.

import type { Param, Queryable, QueryOptions, TransactionOptions } from './database.ts';

export interface Session {
  /** Nothing more can be sent: whoever holds it gives it back, and takes another. */
  readonly lost: boolean;
  /** Whether statements may take as long as they take; PostgreSQL must have been told so, too. */
  unlimited: boolean;
  /** For how many milliseconds the database has worked for it, so far. */
  readonly workedMs: number;
  query(sql: string, params: readonly Param[]): Promise<Iterable<object>>;
  /** Runs statements without parameters; resolves with the tag of the last one. */
  simple(sql: string): Promise<string>;
  /** Asks the database to give up what runs. Once it resolves, no later statement is hit by it. */
  cancel(): Promise<void>;
  /** Ends it at once; what waits on it is rejected. */
  discard(error?: Error): void;
  /** Ends it when what was sent has been answered. */
  close(): Promise<void>;
}

const kBegin = {
  write: 'begin',
  snapshot: 'begin isolation level repeatable read read only',
  tables: 'begin; set local statement_timeout = 0',
} as const;

export async function rowsOf<Row extends object>(
  session: Session,
  sql: string,
  params: readonly Param[],
): Promise<Row[]> {
  return [...(await session.query(sql, params))] as Row[];
}

/** Runs one transaction. A `signal` that is aborted ends its running statement, and it with the signal's reason. */
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
    // It is awaited below, perhaps only after it has failed.
    cancelled.catch(() => {});
  };
  signal?.addEventListener('abort', cancel, { once: true });
  session.unlimited = mode === 'tables';
  const workedBefore = session.workedMs;
  const tx: Queryable = {
    async query<Row extends object>(
      sql: string,
      params: readonly Param[] = [],
      { last = false }: QueryOptions = {},
    ) {
      signal?.throwIfAborted();
      // The session may serve another transaction by now.
      if (!open) throw new Error('A statement came after its transaction.');
      const rows = rowsOf<Row>(session, sql, params);
      if (last) {
        open = false;
        committed = session.simple('commit');
        // Whoever waits for the statement hears of what befell both.
        committed.catch(() => {});
      }
      return rows;
    },
  };
  try {
    // Sent together with the first statement. A session that is there cannot refuse it; one that is lost refuses all.
    const begun = session.simple(kBegin[mode]);
    const [value] = await Promise.all([work(tx), begun]);
    open = false;
    const tag = await (committed ?? session.simple('commit'));
    if (tag !== 'COMMIT') throw new Error('A statement failed, and the transaction went on.');
    return value;
  } catch (error) {
    open = false;
    await cancelled;
    // What cannot be rolled back is ended: the server then rolls back by itself.
    if (!session.lost) await session.simple('rollback').catch(() => session.discard());
    throw signal?.aborted ? signal.reason : error;
  } finally {
    signal?.removeEventListener('abort', cancel);
    // The next one's statements must not be met by what was meant for this one's.
    await cancelled;
    session.unlimited = false;
    spent?.(session.workedMs - workedBefore);
  }
}
