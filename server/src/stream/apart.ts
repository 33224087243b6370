// Streams that are set apart: a version of a reducer cannot fold them. They are not tried again by this version, neither
// at the next start. Their snapshots of before are served as ever, and clients fold by themselves.

import { kNow } from '../db/clock.ts';
import type { Queryable } from '../db/database.ts';
import type { StreamAddress } from './actions.ts';
import type { Unfoldable } from './folder.ts';

/** Records it. False: it was known. */
export async function setApart(
  tx: Queryable,
  { realm, stream }: StreamAddress,
  version: number,
  revision: number,
  { reason, message }: Unfoldable,
): Promise<boolean> {
  const rows = await tx.query(
    `insert into skerry.stream_apart (realm, stream, version, reason, detail, revision, at)
     values ($1::text, $2::text, $3::bigint, $4::text, $5::text, $6::bigint, ${kNow})
     on conflict (realm, stream, version) do nothing returning realm`,
    [realm, stream, String(version), reason, storable(message), String(revision)],
  );
  return rows.length > 0;
}

/** The application's own text may hold what no database can store. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '');
}

/** All of them are tried once more, and take appends again. */
export async function retryApart(tx: Queryable): Promise<void> {
  await tx.query(`delete from skerry.stream_apart`);
}
