// Streams whose state is at its limit: nothing more is appended to them (stream/apart.ts).

import { isObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import type { Queryable } from '../db/database.ts';
import { isFoundable } from '../rights/rights.ts';
import { kIsMember, membershipId } from '../sql/members.ts';
import type { Refusal, Unit } from './locks.ts';

interface Appended {
  readonly unit: Unit;
  readonly realm: string;
  readonly stream: string;
  readonly version: number;
}

/** The appends of the updates to streams that the server folds. */
function appendsOf(units: readonly Unit[], versionOf: VersionOf): Appended[] {
  return units.flatMap((unit) =>
    (Array.isArray(unit.update.ops) ? unit.update.ops : []).flatMap((op) => {
      if (!isObject(op) || op.op !== 'append') return [];
      const { realm, stream } = op;
      if (typeof realm !== 'string' || typeof stream !== 'string') return [];
      const version = versionOf(stream);
      return version === null ? [] : [{ unit, realm, stream, version }];
    }),
  );
}

/** The version of the reducer that the server has for a stream, or null. */
export type VersionOf = (stream: string) => number | null;

/** Refuses updates that append to a stream whose state is at its limit. Others than members of its realm do not learn that it is. */
export async function refuseAppends(
  tx: Queryable,
  units: readonly Unit[],
  versionOf: VersionOf,
): Promise<Refusal[]> {
  const appends = appendsOf(units, versionOf);
  if (appends.length === 0) return [];
  const places = appends.map(({ unit: { user }, realm, stream, version }) => ({
    ...{ realm, stream, version },
    granted: user.grants.has(realm),
    member: isFoundable(realm) ? membershipId(realm, user.id) : null,
  }));
  const rows = await tx.query<{ place: string }>(
    `select (k.place - 1)::text as place
       from rows from (json_to_recordset($1::text::json)
              as (realm text, stream text, version bigint, granted boolean, member text))
            with ordinality as k(realm, stream, version, granted, member, place)
      cross join lateral (
        select 1 from skerry.stream_apart a
         where a.realm = k.realm and a.stream = k.stream and a.version = k.version and a.kind = 'limit' limit 1) a
      where k.granted or exists (
        select 1 from skerry.membership m where m.realm = k.realm and m.id = k.member and ${kIsMember})`,
    [JSON.stringify(places)],
  );
  return rows.flatMap(({ place }) => {
    const found = appends[Number(place)];
    if (found === undefined) return [];
    const { client, update } = found.unit;
    const name = JSON.stringify(found.stream);
    const detail = `the state of the stream ${name} is at its limit of ${limits.stateBytes} bytes: append to another stream`;
    return [{ client, id: String(update.id), code: 'limit', detail }];
  });
}
