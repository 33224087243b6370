// Forgets actions of streams: those that are older than the retention period, and that a snapshot of the server's own holds. Clients
// that still need them are offered the snapshot (part.ts).

import type { Database } from '../db/database.ts';
import type { StreamAddress } from './actions.ts';

/** As many actions in one transaction. */
const kAtOnce = 10_000;

/**
 * Forgets what is older than so many ms and in a snapshot of this version of the reducer. Returns the number of actions. The
 * floor rises in the transaction that deletes them, so every reader sees both or neither.
 */
export async function forgetActions(
  database: Database,
  { realm, stream }: StreamAddress,
  version: number,
  olderThanMs: number,
): Promise<number> {
  let forgotten = 0;
  for (;;) {
    const count = await database.transaction({ mode: 'write' }, async (tx) => {
      const [row] = await tx.query<{ forgotten: string }>(
        `with place as (
           select k.floor from skerry.stream k
            where k.realm = $1::text collate "C" and k.stream = $2::text collate "C" for update),
         held as (
           select max(s.revision) as revision from skerry.stream_snapshot s
            where s.realm = $1::text collate "C" and s.stream = $2::text collate "C" and s.version = $3::bigint),
         old as (
           select a.revision, a.at from skerry.append a, place p, held h
            where a.realm = $1::text collate "C" and a.stream = $2::text collate "C"
              and a.revision > p.floor and a.revision <= h.revision
            order by a.revision limit ${kAtOnce}),
         target as (
           select max(o.revision) as floor from old o
            where o.at <= (extract(epoch from clock_timestamp()) * 1000)::bigint - $4::bigint),
         raised as (
           update skerry.stream k set floor = t.floor from target t
            where k.realm = $1::text collate "C" and k.stream = $2::text collate "C" and t.floor is not null
           returning k.floor),
         gone as (
           delete from skerry.append a using raised r
            where a.realm = $1::text collate "C" and a.stream = $2::text collate "C" and a.revision <= r.floor
           returning 1),
         -- States of earlier versions that lack actions which are gone are of no use to anybody.
         useless as (
           delete from skerry.stream_snapshot s using raised r
            where s.realm = $1::text collate "C" and s.stream = $2::text collate "C" and s.revision < r.floor)
         select count(*)::text as forgotten from gone`,
        [realm, stream, String(version), String(olderThanMs)],
        { last: true },
      );
      return Number(row?.forgotten ?? 0);
    });
    forgotten += count;
    if (count < kAtOnce) return forgotten;
  }
}
