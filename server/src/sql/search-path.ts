// Functions of ours that write to tables fire triggers of the application. These find their tables by the search path of this server, as they do when
// clients push. The path of the session that wrote must not count, because they have the rights of this server there.

import type { Queryable } from '../db/database.ts';
import { quoteText } from './names.ts';

/** The clause of a function that gives it the search path of this server. */
export async function ownSearchPath(tx: Queryable): Promise<string> {
  const rows = await tx.query<{ name: string }>(
    `select s.name::text as name from unnest(current_schemas(false)) with ordinality s(name, place)
      where s.name not like 'pg\\_temp%' order by s.place`,
  );
  // Looked into last: temporary tables are of anybody's making.
  return `set search_path = ${[...rows.map(({ name }) => quoteText(name)), 'pg_temp'].join(', ')}`;
}
