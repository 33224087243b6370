// Streams whose state has become too large for the reducer that this server has (stream/apart.ts): they take no more
// actions. An update that appends to one is refused, and every other update goes on.

import { isRealmName } from '../auth/user.ts';
import { isObject } from '../base/json.ts';
import { isStorable, type Queryable } from '../db/database.ts';
import { type Caller, isFoundable } from '../rights/rights.ts';
import { type MembershipRow, membershipId, readMembershipsAt } from '../sql/members.ts';
import type { Refusal, Unit } from './locks.ts';

interface Place {
  readonly realm: string;
  readonly stream: string;
}

export interface FullStream extends Place {
  readonly version: number;
  readonly detail: string;
}

function appendedBy({ update }: Unit): Place[] {
  return (Array.isArray(update.ops) ? update.ops : []).flatMap((op) => {
    if (!isObject(op) || op.op !== 'append') return [];
    const { realm, stream } = op;
    // The authority refuses what can be no name.
    if (!isRealmName(realm) || typeof stream !== 'string' || !isStorable(stream)) return [];
    return [{ realm, stream }];
  });
}

const keyOf = ({ realm, stream }: Place) => JSON.stringify([realm, stream]);

export class FullStreams {
  readonly #versionOf: (stream: string) => number | null;

  /** `versionOf`: of the reducer that folds a stream; null: none does. */
  constructor(versionOf: (stream: string) => number | null) {
    this.#versionOf = versionOf;
  }

  /** Those of the streams to which the updates append. Nothing is read if no reducer folds any. */
  async read(tx: Queryable, units: readonly Unit[]): Promise<readonly FullStream[]> {
    const places = new Map<string, Place & { readonly version: number }>();
    for (const place of units.flatMap(appendedBy)) {
      const version = this.#versionOf(place.stream);
      if (version !== null) places.set(keyOf(place), { ...place, version });
    }
    if (places.size === 0) return [];
    const rows = await tx.query<Record<'realm' | 'stream' | 'version' | 'detail', string>>(
      `select x.realm, x.stream, x.version::text as version, x.detail
         from json_to_recordset($1::text::json) as k(realm text, stream text, version bigint)
        cross join lateral (
          select x.* from skerry.stream_apart x
           where x.realm = k.realm and x.stream = k.stream and x.version = k.version and x.reason = 'state' limit 1) x`,
      [JSON.stringify([...places.values()])],
    );
    return rows.map((row) => ({ ...row, version: Number(row.version) }));
  }
}

function mayWrite(
  { id, grants }: Caller,
  realm: string,
  memberships: ReadonlyMap<string, MembershipRow>,
): boolean {
  if (/^(write|own)$/.test(grants.get(realm) ?? '')) return true;
  const own = memberships.get(membershipId(realm, id));
  return own !== undefined && !own.isPending && own.role !== 'reader';
}

/** Refuses the updates that append to these. Who may not write there learns nothing of them: the authority refuses that. */
export async function refuseFull(
  tx: Queryable,
  units: readonly Unit[],
  full: readonly FullStream[],
): Promise<Refusal[]> {
  if (full.length === 0) return [];
  const byKey = new Map(full.map((each) => [keyOf(each), each]));
  const named = units.flatMap((unit) => {
    const stream = appendedBy(unit).flatMap((place) => byKey.get(keyOf(place)) ?? []);
    return stream.map((each) => ({ unit, ...each }));
  });
  const places = named
    .filter(({ realm }) => isFoundable(realm))
    .map(({ unit, realm }) => ({ id: membershipId(realm, unit.user.id), realm }));
  const memberships =
    places.length === 0 ? new Map<string, MembershipRow>() : await readMembershipsAt(tx, places);
  return named
    .filter(({ unit, realm }) => mayWrite(unit.user, realm, memberships))
    .map(({ unit: { client, update }, stream, version, detail }) => ({
      ...{ client, id: String(update.id), code: 'limit' },
      detail: `The stream ${JSON.stringify(stream)} is at its limit, by version ${version} of its reducer. ${detail} Begin a new stream, or give the server a version of the reducer that keeps less.`,
    }));
}
