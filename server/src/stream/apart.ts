// Streams that are set apart: a version of their reducer cannot fold them. They get no snapshots, are not tried again by that
// version, and their clients fold them by themselves. Where the state is at its limit, pushes are refused (push/full-streams.ts).

import { kNow } from '../db/clock.ts';
import type { Database } from '../db/database.ts';
import type { FoldFault } from './fold-state.ts';
import type { StreamPlace } from './folding.ts';

/** Sets the stream apart for this version of its reducer. */
export async function setApart(
  database: Database,
  { realm, stream }: StreamPlace,
  version: number,
  { kind, message }: FoldFault,
): Promise<void> {
  await database.transaction({ mode: 'write' }, (tx) =>
    tx.query(
      `insert into skerry.stream_apart (realm, stream, version, kind, reason, at)
       values ($1::text, $2::text, $3::bigint, $4::text, $5::text, ${kNow})
       on conflict (realm, stream) do update
         set version = excluded.version, kind = excluded.kind, reason = excluded.reason, at = excluded.at`,
      [realm, stream, String(version), kind, message.slice(0, 500)],
    ),
  );
}
