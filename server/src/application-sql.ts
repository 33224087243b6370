// The database for the application's own SQL in the server's process: what it writes is logged, and reaches clients, like the
// writes of any other program (capture/).

import type { Database, Param } from './db/database.ts';

export interface SqlStatements {
  /**
   * Runs one statement. Parameters are texts or null, and are cast in the statement (`$1::text::bigint`), and so are the columns of
   * rows, because drivers return other types than text in different ways. Rejects with the database's error.
   */
  query<Row extends object = Record<string, string | null>>(
    sql: string,
    params?: readonly Param[],
  ): Promise<Row[]>;
}

export interface ApplicationSql extends SqlStatements {
  /**
   * Runs statements in one transaction, which is committed when `work` resolves, and rolled back when it rejects. On PGlite all
   * other work of the server waits for its end.
   */
  transaction<Value>(work: (tx: SqlStatements) => Promise<Value>): Promise<Value>;
}

/** `written`: called when something may have been written. */
export function applicationSql(database: Database, written: () => void): ApplicationSql {
  const noted = async <Value>(work: Promise<Value>) => {
    try {
      return await work;
    } finally {
      written();
    }
  };
  return {
    query: (sql, params = []) => noted(database.query(sql, params)),
    transaction: (work) =>
      noted(
        database.transaction({ mode: 'write' }, (tx) =>
          work({ query: (sql, params = []) => tx.query(sql, params) }),
        ),
      ),
  };
}
