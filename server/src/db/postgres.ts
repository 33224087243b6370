// PostgreSQL by postgres.js, behind the same interface. Sessions speak UTC, and prepared statements are kept by text.

import postgres from 'postgres';
import type { Database, Param, Queryable, TransactionOptions } from './database.ts';

const kConnections = 10;

function queryable(target: postgres.Sql | postgres.TransactionSql): Queryable {
  return {
    async query<Row extends object>(sql: string, params: readonly Param[] = []) {
      const rows = await target.unsafe(sql, [...params], { prepare: true });
      return [...rows] as unknown as Row[];
    },
  };
}

export async function openPostgres(url: string): Promise<Database> {
  const sql = postgres(url, {
    max: kConnections,
    onnotice: () => {},
    connection: { TimeZone: 'UTC', application_name: 'skerry-server' },
  });
  await sql.unsafe('select 1');
  return {
    kind: 'postgres',
    ...queryable(sql),
    async execute(text) {
      await sql.unsafe(text).simple();
    },
    async transaction<Value>(
      options: TransactionOptions,
      work: (tx: Queryable) => Promise<Value>,
    ): Promise<Value> {
      const mode = options.mode === 'snapshot' ? 'isolation level repeatable read read only' : '';
      return (await sql.begin(mode, (tx) => work(queryable(tx)))) as Value;
    },
    async close() {
      await sql.end({ timeout: 5 });
    },
  };
}
