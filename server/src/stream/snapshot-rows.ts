// Snapshots of streams, as SQL reads and writes them. A snapshot is the state of one version of a reducer, with all actions
// of its stream up to a revision in it. It never changes.

import type { StreamNeed } from '../base/wire-types.ts';
import { Params, type Queryable } from '../db/database.ts';
import { ofStream } from './actions.ts';

export interface SnapshotName {
  readonly realm: string;
  readonly stream: string;
  readonly version: number;
  readonly revision: number;
  readonly hash: string;
}

/** One that a pull tells of. */
export interface OfferedSnapshot {
  readonly stream: string;
  readonly version: number;
  readonly revision: number;
  readonly hash: string;
  /** The actions up to this revision are gone. */
  readonly floor: number;
  readonly bytes: number;
}

export interface StoredState {
  readonly version: number;
  readonly revision: number;
  /** JSON text. */
  readonly state: string;
}

export interface Offered {
  readonly snapshots: readonly OfferedSnapshot[];
  /** Actions of the range are gone, and what is in place of them is at a revision after its end. */
  readonly isBeyond: boolean;
}

/** As many of each version of a reducer are kept: a client may be about to fetch the one before the last. So is the one at the floor. */
const kKept = 2;

/** The name in the path of a request; null if it can be none. */
export function snapshotNameOf(params: Readonly<Record<string, string>>): SnapshotName | null {
  const { realm = '', stream = '', version = '', revision = '', hash = '' } = params;
  const isNumber = (text: string) => /^[1-9]\d{0,14}$/.test(text);
  if (!isNumber(version) || !isNumber(revision) || !/^[\da-f]{1,64}$/.test(hash)) return null;
  return { realm, stream, version: Number(version), revision: Number(revision), hash };
}

/** The state of a snapshot, as JSON text; null if there is none of this name. */
export async function readSnapshot(tx: Queryable, name: SnapshotName): Promise<string | null> {
  const [row] = await tx.query<{ state: string }>(
    `select state from skerry.stream_snapshot
      where realm = $1::text collate "C" and stream = $2::text collate "C" and version = $3::bigint
        and revision = $4::bigint and hash = $5::text collate "C"`,
    [name.realm, name.stream, String(name.version), String(name.revision), name.hash],
  );
  return row?.state ?? null;
}

/** The last state of the highest version up to `version` of which all later actions are there; null: none. */
export async function readLastState(
  tx: Queryable,
  realm: string,
  stream: string,
  versions: { readonly atLeast: number; readonly atMost: number },
): Promise<{ readonly last: StoredState | null; readonly floor: number }> {
  const [row] = await tx.query<{
    floor: string;
    version: string | null;
    revision: string | null;
    state: string | null;
  }>(
    `select f.floor::text as floor, s.version::text as version, s.revision::text as revision, s.state
       from (select coalesce((select k.floor from skerry.stream k
                               where k.realm = $1::text collate "C" and k.stream = $2::text collate "C"), 0) as floor) f
       left join lateral (
         select s.version, s.revision, s.state from skerry.stream_snapshot s
          where s.realm = $1::text collate "C" and s.stream = $2::text collate "C" and s.revision >= f.floor
            and s.version >= $3::bigint and s.version <= $4::bigint
          order by s.version desc, s.revision desc limit 1) s on true`,
    [realm, stream, String(versions.atLeast), String(versions.atMost)],
  );
  const { version = null, revision = null, state = null } = row ?? {};
  const last =
    state === null ? null : { version: Number(version), revision: Number(revision), state };
  return { last, floor: Number(row?.floor ?? 0) };
}

/**
 * Keeps a state that was made from one at revision `from`, unless actions above `from` have been forgotten meanwhile: they may
 * be missing in it. Another node may have made the same one: the first stays.
 */
export async function writeSnapshot(
  tx: Queryable,
  realm: string,
  stream: string,
  made: StoredState & { readonly hash: string },
  from: number,
): Promise<void> {
  const place = [realm, stream, String(made.version)];
  await tx.query(
    `with known as (
       insert into skerry.stream (realm, stream) values ($1::text, $2::text) on conflict do nothing)
     insert into skerry.stream_snapshot (realm, stream, version, revision, hash, state, bytes)
     select $1::text, $2::text, $3::bigint, $4::bigint, $5::text, $6::text, octet_length($6::text)
      where not exists (select 1 from skerry.stream k where k.realm = $1::text collate "C"
                           and k.stream = $2::text collate "C" and k.floor > $7::bigint)
     on conflict (realm, stream, version, revision) do nothing`,
    [...place, String(made.revision), made.hash, made.state, String(from)],
  );
  await tx.query(
    `delete from skerry.stream_snapshot s
      where s.realm = $1::text collate "C" and s.stream = $2::text collate "C" and s.version = $3::bigint
        and s.revision <> coalesce((select k.floor from skerry.stream k
                                     where k.realm = $1::text collate "C" and k.stream = $2::text collate "C"), 0)
        and s.revision < (select k.revision from skerry.stream_snapshot k
                           where k.realm = $1::text collate "C" and k.stream = $2::text collate "C"
                             and k.version = $3::bigint
                           order by k.revision desc offset ${kKept - 1} limit 1)`,
    place,
  );
}

/**
 * The snapshots to tell of for a range that begins at its start: of streams whose actions above `from` are partly gone, and,
 * of a single stream, one that the client can use and that saves it `saves` actions. One that the client can use is the last, any other
 * the first, since it takes the place of actions that are still there. Ascending by floor, at most 100 and
 * those with the same floor as the last of them.
 */
export async function readOffered(
  tx: Queryable,
  range: StreamNeed,
  saves: number,
): Promise<Offered> {
  const params = new Params();
  const realm = params.add(range.realm);
  const from = `${params.add(String(range.from))}::bigint`;
  const version = `${params.add(range.version === null ? null : String(range.version))}::bigint`;
  const migrates = `${params.add(String(range.migrates))}::text = 'true'`;
  const isUsable = `coalesce(s.version = ${version} or (${migrates} and s.version < ${version}), false)`;
  const isSingle = range.stream.endsWith('*') ? 'false' : 'true';
  const rows = await tx.query<
    Record<'stream' | 'floor', string> &
      Record<'version' | 'revision' | 'hash' | 'bytes', string | null>
  >(
    `select k.stream, s.version::text as version, s.revision::text as revision, s.hash, k.floor::text as floor,
            s.bytes::text as bytes
       from skerry.stream k
       left join lateral (
        select s.version, s.revision, s.hash, s.bytes, ${isUsable} as usable from skerry.stream_snapshot s
         where s.realm = k.realm and s.stream = k.stream and s.revision >= k.floor and s.revision > ${from}
           and s.revision <= ${params.add(String(range.upto))}::bigint
         order by ${isUsable} desc, case when ${isUsable} then s.version end desc,
                  case when ${isUsable} then s.revision end desc, s.revision limit 1) s on true
      where k.realm = ${realm} collate "C" and ${ofStream(range.stream, params, 'k')}
        and (k.floor > ${from}
             or (${isSingle} and s.usable
                 and exists (select 1 from skerry.append a
                              where a.realm = k.realm and a.stream = k.stream
                                and a.revision > ${from} and a.revision <= s.revision
                             offset ${Math.max(saves, 1) - 1} limit 1)))
      order by k.floor, k.stream
      fetch first 100 rows with ties`,
    params.values,
  );
  const snapshots = rows.flatMap(({ stream, version, revision, hash, floor, bytes }) =>
    hash === null
      ? []
      : [
          {
            ...{ stream, hash, version: Number(version), revision: Number(revision) },
            ...{ floor: Number(floor), bytes: Number(bytes) },
          },
        ],
  );
  return { snapshots, isBeyond: snapshots.length < rows.length };
}

/** The revision up to which the actions of one stream are gone; 0: none are. */
export async function readFloor(tx: Queryable, realm: string, stream: string): Promise<number> {
  const [row] = await tx.query<{ floor: string }>(
    `select floor::text as floor from skerry.stream where realm = $1::text collate "C" and stream = $2::text collate "C"`,
    [realm, stream],
  );
  return Number(row?.floor ?? 0);
}
