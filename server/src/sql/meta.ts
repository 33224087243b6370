// What the server notes of its own database, by key, in `skerry.meta`.

import type { Queryable } from '../db/database.ts';

export async function readMeta(tx: Queryable, key: string): Promise<string | null> {
  const [row] = await tx.query<{ value: string }>(
    `select value from skerry.meta where key = $1::text`,
    [key],
  );
  return row?.value ?? null;
}

export async function writeMeta(tx: Queryable, key: string, value: string): Promise<void> {
  await tx.query(
    `insert into skerry.meta (key, value) values ($1::text, $2::text)
       on conflict (key) do update set value = excluded.value`,
    [key, value],
  );
}
