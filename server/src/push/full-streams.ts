// Streams whose state has become too large for the reducer that this server has (stream/apart.ts): they take no more
// actions. An update that appends to one is refused, and every other update goes on.

import type { NamedStream } from '../authority/survey.ts';
import type { Queryable } from '../db/database.ts';
import { isFoundable, rightIn } from '../rights/rights.ts';
import { type MembershipRow, membershipId, readMembershipsAt } from '../sql/members.ts';
import type { Refusal } from './locks.ts';
import type { Surveyed } from './surveyed.ts';

export interface FullStream extends NamedStream {
  readonly version: number;
  readonly detail: string;
}

const keyOf = ({ realm, stream }: NamedStream) => JSON.stringify([realm, stream]);

export class FullStreams {
  readonly #versionOf: (stream: string) => number | null;

  /** `versionOf`: of the reducer that folds a stream; null: none does. */
  constructor(versionOf: (stream: string) => number | null) {
    this.#versionOf = versionOf;
  }

  /** Those of the streams to which the updates append. Nothing is read if no reducer folds any. */
  async read(tx: Queryable, units: readonly Surveyed[]): Promise<readonly FullStream[]> {
    const places = new Map<string, NamedStream & { readonly version: number }>();
    for (const place of units.flatMap(({ names }) => names.streams)) {
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

/** Refuses the updates that append to these. Who may not write there learns nothing of them: the authority refuses that. */
export async function refuseFull(
  tx: Queryable,
  units: readonly Surveyed[],
  full: readonly FullStream[],
): Promise<Refusal[]> {
  if (full.length === 0) return [];
  const byKey = new Map(full.map((each) => [keyOf(each), each]));
  const named = units.flatMap((unit) => {
    const stream = unit.names.streams.flatMap((place) => byKey.get(keyOf(place)) ?? []);
    return stream.map((each) => ({ unit, ...each }));
  });
  const places = named
    .filter(({ realm }) => isFoundable(realm))
    .map(({ unit, realm }) => ({ id: membershipId(realm, unit.user.id), realm }));
  const memberships =
    places.length === 0 ? new Map<string, MembershipRow>() : await readMembershipsAt(tx, places);
  return named
    .filter(({ unit, realm }) => /^(write|own)$/.test(rightIn(unit.user, realm, memberships) ?? ''))
    .map(({ unit: { client, update }, stream, version, detail }) => ({
      ...{ client, id: String(update.id), code: 'limit' },
      detail: `The stream ${JSON.stringify(stream)} is at its limit, by version ${version} of its reducer. ${detail} Begin a new stream, or give the server a version of the reducer that keeps less.`,
    }));
}
